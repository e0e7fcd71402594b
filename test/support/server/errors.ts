/**
 * The services' error codes with their status and text. Sources: S3 API reference "Error responses",
 * OSS developer reference "HTTP status codes and error codes".
 */
const TABLE = {
  AccessControlListNotSupported: [400, 'The bucket does not allow ACLs'],
  AccessDenied: [403, 'Access Denied'],
  AuthorizationHeaderMalformed: [400, 'The authorization header is malformed.'],
  AuthorizationQueryParametersError: [400, 'Error parsing the X-Amz-Credential parameter.'],
  BadDigest: [400, 'The Content-MD5 you specified did not match what we received.'],
  BucketAlreadyExists: [
    409,
    'The requested bucket name is not available. The bucket namespace is shared by all users.',
  ],
  BucketAlreadyOwnedByYou: [409, 'Your previous request to create the named bucket succeeded and you already own it.'],
  BucketNotEmpty: [409, 'The bucket you tried to delete is not empty.'],
  EntityTooLarge: [400, 'Your proposed upload exceeds the maximum allowed size.'],
  EntityTooSmall: [400, 'Your proposed upload is smaller than the minimum allowed size.'],
  ExpiredToken: [400, 'The provided token has expired.'],
  FileAlreadyExists: [409, 'The object you specified already exists and can not be overwritten.'],
  FileImmutable: [409, 'The object is immutable.'],
  IllegalLocationConstraintException: [
    400,
    'The location constraint is incompatible for the region specific endpoint this request was sent to.',
  ],
  IncompleteBody: [400, 'You did not provide the number of bytes specified by the Content-Length HTTP header.'],
  InternalError: [500, 'We encountered an internal error. Please try again.'],
  InvalidAccessKeyId: [403, 'The access key Id you provided does not exist in our records.'],
  InvalidArgument: [400, 'Invalid argument.'],
  InvalidBucketState: [409, 'The request is not valid with the current state of the bucket.'],
  InvalidBucketName: [400, 'The specified bucket is not valid.'],
  InvalidEncryptionAlgorithmError: [400, 'The encryption request you specified is not valid.'],
  InvalidDigest: [400, 'The Content-MD5 you specified was invalid.'],
  InvalidObjectName: [400, 'The specified object is not valid.'],
  InvalidObjectState: [403, "The operation is not valid for the object's storage class"],
  InvalidPart: [
    400,
    "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
  ],
  InvalidPartOrder: [400, 'The list of parts was not in ascending order. Parts must be ordered by part number.'],
  InvalidRange: [416, 'The requested range is not satisfiable'],
  InvalidRedirectLocation: [400, "The website redirect location must have a prefix of 'http://' or 'https://' or '/'."],
  InvalidRequest: [400, 'Invalid request.'],
  InvalidSecurityToken: [403, 'The security token you provided is invalid.'],
  InvalidStorageClass: [400, 'The storage class you specified is not valid'],
  InvalidTag: [400, 'The tag provided was not a valid tag.'],
  InvalidToken: [400, 'The provided token is malformed or otherwise invalid.'],
  KeyTooLongError: [400, 'Your key is too long'],
  MalformedXML: [400, 'The XML you provided was not well-formed or did not validate against our published schema'],
  MetadataTooLarge: [400, 'Your metadata headers exceed the maximum allowed metadata size'],
  MethodNotAllowed: [405, 'The specified method is not allowed against this resource.'],
  MissingContentLength: [411, 'You must provide the Content-Length HTTP header.'],
  NoSuchBucket: [404, 'The specified bucket does not exist'],
  NoSuchKey: [404, 'The specified key does not exist.'],
  NoSuchUpload: [
    404,
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
  ],
  NoSuchVersion: [404, 'The specified version does not exist.'],
  NotImplemented: [501, 'A header you provided implies functionality that is not implemented'],
  NotModified: [304, ''],
  NotSymlink: [400, 'The object you specified is not a symlink'],
  ObjectLockConfigurationNotFoundError: [404, 'Object Lock configuration does not exist for this bucket'],
  ObjectNotAppendable: [409, 'The object is not appendable'],
  PermanentRedirect: [
    301,
    'The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.',
  ],
  PositionNotEqualToLength: [409, 'Position is not equal to file length'],
  PreconditionFailed: [412, 'At least one of the pre-conditions you specified did not hold'],
  PublicEndpointForbidden: [400, 'Data calls are not allowed over the public endpoint for this account.'],
  RequestTimeTooSkewed: [403, 'The difference between the request time and the current time is too large.'],
  RestoreAlreadyInProgress: [409, 'Object restore is already in progress'],
  SecondLevelDomainForbidden: [
    403,
    'The bucket you are attempting to access must be addressed using OSS third level domain.',
  ],
  SecurityTokenExpired: [403, 'The security token you provided has expired.'],
  ServiceUnavailable: [503, 'Please reduce your request rate.'],
  SignatureDoesNotMatch: [
    403,
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
  ],
  SlowDown: [503, 'Please reduce your request rate.'],
  InvalidTargetType: [400, 'The symbolic link target object type is invalid'],
  SymlinkTargetNotExist: [404, 'The symlink target object does not exist'],
  TooManyRequests: [429, 'Please reduce your request rate.'],
  XAmzContentSHA256Mismatch: [400, "The provided 'x-amz-content-sha256' header does not match what was computed."],
} as const satisfies Record<string, readonly [number, string]>;

export type ServiceCode = keyof typeof TABLE;

export interface ErrorExtras {
  message?: string;
  status?: number;
  /** Further elements of the `<Error>` document, such as `Region` or `Endpoint`. */
  elements?: Record<string, string>;
  headers?: Record<string, string>;
}

function knownCode(code: string): readonly [number, string] | undefined {
  return (TABLE as Record<string, readonly [number, string]>)[code];
}

/** An error of the service. The protocol renders it as XML. */
export class ServiceError extends Error {
  readonly code: string;
  readonly status: number;
  readonly elements: Record<string, string>;
  readonly headers: Record<string, string>;

  /** A code of the table, or any other code with its status and message. */
  constructor(code: ServiceCode, extras?: ErrorExtras);
  constructor(code: string, extras: ErrorExtras & { status: number; message: string });
  constructor(code: string, extras: ErrorExtras = {}) {
    const known = knownCode(code);
    super(extras.message ?? known?.[1] ?? code);
    this.code = code;
    this.status = extras.status ?? known?.[0] ?? 500;
    this.elements = extras.elements ?? {};
    this.headers = extras.headers ?? {};
  }
}

/** The code and text of a service for the status of a fault. */
export function errorForStatus(status: number, code?: string, message?: string): { code: string; message: string } {
  const known = Object.entries(TABLE).find(([name, [s]]) => (code ? name === code : s === status));
  return { code: code ?? known?.[0] ?? 'InternalError', message: message ?? known?.[1][1] ?? 'Injected by the test.' };
}
