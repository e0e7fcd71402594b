/** The requests of S3 over the lean transport. Tests: test/store/s3/store.test.ts */
import { md5 } from '../../hash/index.js';
import type { Tags } from '../../model/attributes.js';
import type { BodySink } from '../http/message.js';
import { readVersioning } from '../http/versions.js';
import type * as port from '../port.js';
import type { Addresses } from './address.js';
import { Aspects } from './aspects.js';
import type * as calls from './calls.js';
import { type Condition, conditionHeaders } from './conditions.js';
import { copySource, readCopy } from './copying.js';
import { deleteBody, readDeleteFailures } from './deleting.js';
import { escapeXml } from './encode.js';
import { contentHeadersOut, md5Header, metadataOut, type NewObjectSettings, newObjectHeaders } from './headers.js';
import { readPage } from './listing.js';
import type { S3Preset } from './presets.js';
import { restoreBody } from './restoring.js';
import { Uploads } from './uploads.js';
import { readVersions } from './versions.js';
import type { Wire } from './wire.js';

export class LeanCalls implements calls.S3Calls {
  readonly #wire: Wire;
  readonly #uploads: Uploads;
  readonly #aspects: Aspects;
  readonly #preset: S3Preset;
  readonly #settings: NewObjectSettings;

  constructor(wire: Wire, preset: S3Preset, settings: NewObjectSettings) {
    this.#wire = wire;
    this.#uploads = new Uploads(wire, settings.customerKey?.own);
    this.#aspects = new Aspects(wire);
    this.#preset = preset;
    this.#settings = settings;
  }

  get inPieces(): Pick<LeanCalls, 'get' | 'put' | 'uploadPart'> {
    return this;
  }

  get addresses(): Addresses {
    return this.#wire.addresses;
  }

  async createBucket(named: boolean, { signal, onRequest }: port.CallOptions): Promise<void> {
    const { region } = this.addresses;
    const body =
      named && region !== 'us-east-1'
        ? `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>${escapeXml(region)}</LocationConstraint></CreateBucketConfiguration>`
        : undefined;
    await this.#wire.send({ method: 'PUT', body, signal, onRequest });
  }

  async deleteBucket({ signal, onRequest }: port.CallOptions): Promise<void> {
    await this.#wire.send({ method: 'DELETE', signal, onRequest });
  }

  async list(request: calls.ListRequest): Promise<calls.ListedPage> {
    const { version, prefix, delimiter, maxKeys, token, after, encoded, signal, onRequest } = request;
    const common = { 'encoding-type': encoded ? 'url' : undefined, 'max-keys': maxKeys, prefix, delimiter };
    const parameters =
      version === 1
        ? { ...common, marker: after }
        : { ...common, 'list-type': 2, 'start-after': after, 'continuation-token': token };
    const headers = this.#preset.listsRestores ? { 'x-amz-optional-object-attributes': 'RestoreStatus' } : undefined;
    return readPage((await this.#wire.send({ method: 'GET', parameters, headers, signal, onRequest })).body);
  }

  async listVersions(request: calls.VersionsRequest): Promise<calls.ListedVersions> {
    const { prefix, maxKeys, after, encoded, signal, onRequest } = request;
    const parameters = {
      versions: '',
      'encoding-type': encoded ? 'url' : undefined,
      'max-keys': maxKeys,
      prefix,
      'key-marker': after?.key,
      'version-id-marker': after?.versionId,
    };
    return readVersions((await this.#wire.send({ method: 'GET', parameters, signal, onRequest })).body);
  }

  async versioning({ signal, onRequest }: port.CallOptions): Promise<port.Versioning> {
    const parameters = { versioning: '' };
    return readVersioning((await this.#wire.send({ method: 'GET', parameters, signal, onRequest })).body);
  }

  async head(key: string, request: calls.ReadRequest): Promise<calls.Answer> {
    const { versionId, partNumber, signal, onRequest } = request;
    const parameters = { versionId, partNumber };
    const call = { method: 'HEAD', key, parameters, signal, onRequest, ...this.#readHeaders(request) } as const;
    const { status, headers } = await this.#wire.send(call);
    return { status, headers };
  }

  async restore(key: string, options: port.RestoreOptions): Promise<calls.Answer> {
    const body = restoreBody(options);
    const { versionId, signal, onRequest } = options;
    const parameters = { restore: '', versionId };
    const headers = { 'content-type': 'application/xml', ...md5Header(md5(Buffer.from(body))) };
    const call = { method: 'POST', key, parameters, headers, body, signal, onRequest } as const;
    const { status, headers: told } = await this.#wire.send(call);
    return { status, headers: told };
  }

  get(key: string, target: Uint8Array | BodySink, request: calls.GetRequest): Promise<calls.GetAnswer> {
    const { versionId, offset, ranged, signal, onRequest, pace } = request;
    const { headers, unsigned } = this.#readHeaders(request);
    if (ranged) headers.range = `bytes=${offset}-${offset + target.byteLength - 1}`;
    const parameters = { versionId };
    const call = {
      method: 'GET',
      key,
      parameters,
      headers,
      unsigned,
      target,
      offset,
      signal,
      onRequest,
      pace,
      data: true,
    } as const;
    return this.#wire.send(call);
  }

  put(
    key: string,
    body: Uint8Array | port.PieceSource,
    options: port.PutOptions,
    condition: Condition,
  ): Promise<calls.Answer> {
    const { signal, onRequest, pace, contentMd5 } = options;
    const headers = Object.assign(this.#writeHeaders(key, options), md5Header(contentMd5), conditionHeaders(condition));
    return this.#wire.send({ method: 'PUT', key, headers, body, signal, onRequest, pace, data: true });
  }

  async copy(
    source: port.ObjectStore,
    sourceKey: string,
    key: string,
    { replace, ...options }: calls.CopyRequest & { replace: boolean },
  ): Promise<calls.Written> {
    const headers = { ...this.#writeHeaders(key, options), ...copySource(source.identity.bucket, sourceKey, options) };
    if (replace) headers['x-amz-metadata-directive'] = 'REPLACE';
    if (options.tags) headers['x-amz-tagging-directive'] = 'REPLACE';
    const answer = await this.#wire.send({
      method: 'PUT',
      key,
      headers,
      signal: options.signal,
      onRequest: options.onRequest,
      lateError: true,
    });
    return readCopy('CopyObjectResult', answer.body, answer.headers);
  }

  createUpload(key: string, options: port.UploadOptions): Promise<port.UploadRef> {
    return this.#uploads.create(key, this.#writeHeaders(key, options), options);
  }

  uploadPart(...args: Parameters<Uploads['part']>): Promise<calls.Answer> {
    return this.#uploads.part(...args);
  }

  uploadPartCopy(...args: Parameters<calls.S3Calls['uploadPartCopy']>): Promise<calls.Written> {
    return this.#uploads.partCopy(...args);
  }

  listParts(...args: Parameters<calls.S3Calls['listParts']>): Promise<calls.ListedParts> {
    return this.#uploads.parts(...args);
  }

  complete(...args: Parameters<calls.S3Calls['complete']>): Promise<calls.Written> {
    return this.#uploads.complete(...args);
  }

  abort(...args: Parameters<calls.S3Calls['abort']>): Promise<void> {
    return this.#uploads.abort(...args);
  }

  listUploads(...args: Parameters<calls.S3Calls['listUploads']>): Promise<calls.ListedUploads> {
    return this.#uploads.list(...args);
  }

  getTags(...args: Parameters<calls.S3Calls['getTags']>): Promise<Tags> {
    return this.#aspects.getTags(...args);
  }

  putTags(...args: Parameters<calls.S3Calls['putTags']>): Promise<void> {
    return this.#aspects.putTags(...args);
  }

  getAcl(...args: Parameters<calls.S3Calls['getAcl']>): Promise<string> {
    return this.#aspects.getAcl(...args);
  }

  putAcl(...args: Parameters<calls.S3Calls['putAcl']>): Promise<void> {
    return this.#aspects.putAcl(...args);
  }

  putLock(...args: Parameters<calls.S3Calls['putLock']>): Promise<void> {
    return this.#aspects.putLock(...args);
  }

  async deleteMany(
    keys: readonly string[],
    { versions, signal, onRequest }: port.DeleteCallOptions,
  ): Promise<port.DeleteFailure[]> {
    const body = deleteBody(keys, versions);
    const headers = { 'content-type': 'application/xml', ...md5Header(md5(Buffer.from(body))) };
    const answer = await this.#wire.send({
      method: 'POST',
      parameters: { delete: '' },
      headers,
      body,
      signal,
      onRequest,
    });
    return readDeleteFailures(answer.body);
  }

  deleteOne(
    key: string,
    { versions, versionId, signal, onRequest }: port.DeleteCallOptions & { versionId?: string },
  ): Promise<calls.Answer> {
    const headers = conditionHeaders({ ifMatch: versions?.get(key) });
    const parameters = { versionId };
    return this.#wire.send({ method: 'DELETE', key, parameters, headers, signal, onRequest });
  }

  #readHeaders({ ifMatch, gzip, unsealed }: calls.ReadRequest) {
    const headers: Record<string, string> = unsealed ? {} : { ...this.#settings.customerKey?.own };
    if (ifMatch !== undefined) headers['if-match'] = `"${ifMatch}"`;
    if (this.#preset.checksumMode) headers['x-amz-checksum-mode'] = 'ENABLED';
    return { headers, unsigned: gzip ? { 'accept-encoding': 'gzip' } : undefined };
  }

  #writeHeaders(key: string, attributes: port.PutAttributes): Record<string, string> {
    const { headers: content, metadata } = attributes;
    const headers = newObjectHeaders(this.#settings, attributes);
    contentHeadersOut(content, headers);
    return Object.assign(headers, metadataOut(key, metadata, this.#preset.attributes.metadata));
  }
}
