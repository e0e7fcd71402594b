/**
 * Options of rclone and of the AWS CLI that xsync does not have, each with one sentence. They complete the error for an
 * unknown option, and docs/rclone.md shows them. Tests: test/cli/foreign.test.ts
 */

/** `name`: xsync has it under another name. `needless`: it is always so. `absent`: xsync cannot do it. */
export type ForeignKind = 'name' | 'needless' | 'absent';

/** Names without dashes, one after the other; a name that ends in `*` stands for all that start so. */
type Row = readonly [names: string, text: string];

const setting = (key: string): string =>
  `set ${key} in the config of the remote, or XSYNC_CONFIG_<REMOTE>_${key.toUpperCase()}`;

const NAME: readonly Row[] = [
  ['s3-chunk-size oss-chunk-size multi-thread-chunk-size multipart-chunksize part-size-limit', 'use --part-size'],
  ['s3-upload-concurrency multi-thread-streams max-concurrent-requests', 'use --part-concurrency'],
  ['s3-versions', 'use --versions of xsync ls, lsjson, copy, sync, watch and check'],
  ['s3-version-at', 'use --at'],
  [
    'metadata-directive content-type cache-control content-disposition content-encoding content-language expires',
    'use --metadata-set, as in --metadata-set cache-control=no-cache',
  ],
  ['s3-storage-class', 'use --storage-class, or storage_class in the config of the remote'],
  ['s3-max-upload-parts', setting('max_parts')],
  ['s3-access-key-id', setting('access_key_id')],
  ['s3-secret-access-key', setting('secret_access_key')],
  ['s3-session-token', setting('session_token')],
  ['s3-endpoint endpoint-url endpoint', setting('endpoint')],
  ['s3-region region', setting('region')],
  ['s3-provider', setting('provider')],
  ['s3-profile profile', setting('profile')],
  ['s3-env-auth', setting('env_auth')],
  ['s3-force-path-style', setting('force_path_style')],
  ['s3-acl', setting('acl')],
  ['s3-server-side-encryption', 'use --sse, or server_side_encryption in the config of the remote'],
  ['s3-sse-kms-key-id sse-kms-key-id', 'use --sse kms:KEY, or sse_kms_key_id in the config of the remote'],
  [
    's3-sse-customer-key s3-sse-customer-key-base64 sse-c sse-c-key sse-c-copy-source sse-c-copy-source-key',
    setting('sse_c_key_file'),
  ],
  ['s3-requester-pays request-payer', setting('requester_pays')],
  ['s3-use-accelerate-endpoint', setting('accelerate')],
  ['s3-use-dual-stack', setting('use_dualstack_endpoint')],
  ['s3-use-multipart-etag', 'set etag_is_md5 in the config of the remote if the ETags of a store are MD5s'],
  ['s3-shared-credentials-file', 'set AWS_SHARED_CREDENTIALS_FILE, which xsync reads as the AWS CLI does'],
  [
    's3-role-arn s3-role-session-name s3-role-session-duration s3-role-external-id',
    'put the role into a profile of ~/.aws/config, and set profile in the config of the remote',
  ],
  ['http-proxy', 'set proxy in the config of the remote, or HTTPS_PROXY'],
  ['max-buffer-memory', 'use --max-memory'],
  ['dump-headers', '--dump headers does this'],
  ['follow-symlinks', 'use --copy-links'],
  ['links', 'use --links keep'],
  ['local-metadata-restore-special-bits', 'use --local-permissions all'],
  ['dryrun', 'use --dry-run'],
  ['only-show-errors', 'use --quiet'],
  ['no-verify-ssl', 'use --no-check-certificate'],
  ['ca-bundle', 'use --ca-cert'],
  [
    'exact-timestamps',
    'ETags decide as long as the manifest has them; otherwise --modify-window sets how far times may differ',
  ],
  ['cli-read-timeout', 'use --timeout'],
  ['cli-connect-timeout', 'use --contimeout'],
  ['summarize', 'use xsync size'],
  ['stats-one-line-date', 'use --stats-one-line; a log has the date in every line'],
  ['log-systemd', '--syslog sends the log to the system logger, and systemd takes standard error as it is'],
  ['retries-sleep', 'the wait between attempts grows by itself, and a store can request a longer one'],
  ['color', 'set NO_COLOR to turn colors off'],
  ['cache-dir', 'set XDG_STATE_HOME, where the manifests are'],
  ['delete', 'use xsync sync, which always deletes; --delete is an option of xsync watch'],
  ['files-from0', '--files-from-raw reads names verbatim, one per line'],
  ['conflict-loser', '--conflict of xsync mirror: keep-both keeps the loser under a number, all others replace it'],
  [
    'conflict-resolve',
    '--conflict of xsync mirror: keep-both, the default, lets the newer one keep the name and keeps the other too; newer, older, larger, smaller, a and b replace the loser',
  ],
  ['filters-file', 'use --filter-from; filters may change between runs'],
  ['force', 'use --max-delete 100%, or --allow-empty-side'],
  ['workdir', 'use --manifest, or set XDG_STATE_HOME, where the manifests are'],
  ['local-links', 'use --links keep'],
];

const NEEDLESS: readonly Row[] = [
  [
    'check-access check-filename',
    'not needed: a side that is empty, or has lost many objects, stops the deletes on the other',
  ],
  ['check-sync', 'not needed: each run compares both listings with the manifest; xsync check compares the bytes'],
  [
    'compare download-hash ignore-listing-checksum no-slow-hash slow-hash-sync-only',
    'not needed: versions are compared by ETag, and equal content by checksum',
  ],
  ['max-lock', 'not needed: the operating system releases the lock of a process that has ended'],
  ['no-cleanup', 'not needed: there are no working files; the manifest stays'],
  ['recover resilient', 'not needed: the next run continues after any interruption'],
  ['remove-empty-dirs', 'not needed: object stores have no folders; on disk a folder goes with its last object'],
  [
    'resync resync-mode',
    'not needed: without a manifest, xsync mirror pairs what is equal, keeps what is different, and deletes nothing',
  ],
  ['s3-sse-customer-algorithm s3-sse-customer-key-md5', 'not needed: both follow from sse_c_key_file'],
  ['fast-list', 'not needed: a listing is always recursive, in requests of up to 1,000 keys'],
  ['recursive', 'not needed: copy, sync, ls and size always include what lies below the path'],
  [
    'inplace partial-suffix',
    'not needed: an object becomes visible when it is complete; on disk a file is renamed into place',
  ],
  ['max-backlog list-cutoff', 'not needed: listings and deletes that wait are kept on disk, not in memory'],
  ['buffer-size use-mmap multi-thread-write-buffer-size', 'not needed: --max-memory bounds the memory for data'],
  [
    'multi-thread-cutoff s3-upload-cutoff streaming-upload-cutoff s3-copy-cutoff multipart-threshold',
    'not needed: an object larger than one part is sent in parts; --part-size sets their size',
  ],
  ['s3-no-check-bucket', 'not needed: no bucket is checked or created without --create-bucket'],
  ['s3-no-head', 'not needed: the response to a PUT is enough to verify an object'],
  ['s3-no-head-object', 'not needed: an object costs no HEAD before its GET'],
  ['s3-list-chunk page-size', 'not needed: listings ask for 1,000 keys, the most that S3 returns'],
  ['s3-list-version s3-list-url-encode', 'not needed: the provider in the config of the remote decides it'],
  [
    's3-leave-parts-on-error',
    'not needed: parts are kept for the next run; xsync cleanup removes those that are never resumed',
  ],
  [
    's3-disable-checksum s3-use-unsigned-payload s3-use-data-integrity-protections',
    'not needed: each upload carries a checksum that its store can verify',
  ],
  [
    's3-use-presigned-request s3-use-x-id s3-sign-accept-encoding s3-use-already-exists s3-use-multipart-uploads',
    'not needed: the provider in the config of the remote decides it',
  ],
  ['s3-use-arn-region', 'not needed: an access point is reached in the region of its ARN'],
  ['s3-encoding', 'not needed: keys are used verbatim'],
  ['s3-disable-http2 disable-http2', 'not needed: xsync uses HTTP/1.1, one request at a time for each connection'],
  [
    's3-might-gzip s3-decompress no-gzip-encoding',
    'not needed: bodies and Content-Encoding are copied as they are stored',
  ],
  ['s3-object-lock-supported s3-location-constraint', 'not needed: the region of the remote is used'],
  ['s3-v2-auth', 'not needed: requests are signed with version 4, at OSS with version 4 or 1'],
  [
    'server-side-across-configs',
    'not needed: a copy inside one service is made by the service whenever both remotes reach the same one',
  ],
  ['use-server-modtime', 'not needed: listings are compared by ETag, and no HEAD is sent for times'],
  [
    'no-update-modtime no-update-dir-modtime refresh-times',
    'not needed: the time is written with the object and never changed later',
  ],
  ['no-check-dest', 'not needed: --ignore-times copies everything, and --no-traverse does not list the destination'],
  ['auto-confirm ask-password', 'not needed: xsync asks nothing unless --interactive is set'],
  ['expect-continue-timeout', 'not needed: no request waits for 100 Continue'],
  [
    'fs-cache-expire-duration fs-cache-expire-interval kv-lock-time temp-dir',
    'not needed: xsync keeps no cache; finished work is in the manifest',
  ],
  ['human-readable', 'not needed: summaries have units, and ls, lsjson and --json have bytes'],
  ['no-progress', 'not needed: without a terminal there are no progress bars; --quiet hides them'],
  ['no-follow-symlinks', 'not needed: symbolic links are not followed unless --copy-links is set'],
  ['no-unicode-normalization local-unicode-normalization', 'not needed: names are copied byte for byte'],
  ['local-no-check-updated', 'not needed: a file that changes while it is read is read again'],
  [
    'local-no-preallocate local-no-sparse local-no-clone local-nounc local-hashes local-fatal-if-no-space local-case-sensitive',
    'not needed: xsync finds out what the file system can do',
  ],
  ['local-zero-size-links', 'not needed: the size of a link is that of what it points to, with --copy-links'],
  [
    'stats-file-name-length stats-log-level progress-terminal-title max-stats-groups',
    'not needed: the display adapts to the terminal',
  ],
  ['no-console', 'not needed: xsync does not open a window'],
  ['*-description', 'not needed: write a comment into the config'],
];

const ABSENT: readonly Row[] = [
  ['no-sign-request', 'not supported: xsync signs every request; download public objects with curl'],
  ['bwlimit-file', 'not supported: --bwlimit limits all transfers together'],
  [
    'track-renames-strategy',
    'not supported: --track-renames finds renamed objects by checksums, as with the strategy hash; times and sizes prove no content',
  ],
  ['ignore-case-sync fix-case', 'not supported: keys that differ in case are different objects'],
  [
    'local-case-insensitive',
    'not supported: names that differ only in case are reported where a disk cannot hold both',
  ],
  ['name-transform', 'not supported: keys are copied as they are'],
  ['hash-filter', 'not supported: split a bucket by prefix, or with --include'],
  ['metadata-*', 'not supported: metadata does not select objects; copy --metadata-set sets it'],
  ['website-redirect', 'not supported: redirects of objects are copied from S3 to S3, and not set'],
  [
    'header header-download',
    'not supported: see "Headers that a bucket policy demands" in docs/configuration.md for the headers of a remote',
  ],
  ['bind', 'not supported: set the source address in the routing table of the host'],
  ['dscp', 'not supported: mark packets in the firewall; --congestion chooses the congestion control'],
  ['client-pass', 'not supported: decrypt the key first, into a file that only you can read'],
  [
    'disable disable-http-keep-alives use-cookies',
    'not supported: set provider or quirks in the config of the remote to say what a store lacks',
  ],
  ['user-agent', 'not supported: the user agent is the name and version of xsync'],
  [
    'password-command',
    'not supported: a config file can take values from environment variables, which any program can set',
  ],
  ['cpuprofile memprofile', 'not supported: run node --cpu-prof bin/xsync.js instead'],
  ['dump-bodies', 'not supported: bodies can contain secrets; --dump headers logs headers'],
  [
    'backup-dir1 backup-dir2',
    'not supported: with --conflict keep-both, what a conflict would replace is kept on both sides; buckets with versions keep the rest',
  ],
  ['default-time', 'not supported: every object has a time'],
  [
    'log-file-max-size log-file-max-age log-file-max-backups log-file-compress',
    'not supported: use logrotate; xsync notices a rotation, even without a signal',
  ],
  [
    'log-format stats-one-line-date-format stats-unit',
    'not supported: a log has one format; --json writes JSON lines for programs',
  ],
  ['rc rc-*', 'not supported: there is no remote control; use the library (docs/library.md) or --json'],
  [
    'metrics-*',
    'not supported: --metrics-addr serves plain HTTP at one address; put a reverse proxy in front of it for TLS and passwords',
  ],
  ['local-no-set-modtime', 'not supported: times are always copied'],
  [
    's3-version-deleted s3-list-versions-oldest-first',
    'not supported: xsync ls --versions lists every version and delete marker, the newest of a key first',
  ],
  [
    's3-directory-markers',
    'not supported: folders exist only as part of keys; a marker object is copied like any other',
  ],
  ['s3-directory-bucket', 'not supported: directory buckets (S3 Express One Zone) are refused'],
  [
    's3-bucket-acl s3-bucket-object-lock-enabled s3-object-lock-* s3-bypass-governance-retention',
    'not supported: set up buckets, locks and retention with the tools of the service',
  ],
  ['s3-ibm-*', 'not supported: use HMAC credentials of IBM Cloud Object Storage'],
  ['s3-download-url', 'not supported: objects are read from the endpoint of the remote'],
  ['s3-no-system-metadata', 'not supported: content headers are always copied'],
  ['s3-sdk-log-mode', 'not supported: --dump headers and -vv log requests'],
  [
    'grants expected-size source-region copy-props force-glacier-transfer ignore-glacier-warnings case-conflict no-overwrite',
    'not supported: see docs/commands.md for the options of copy',
  ],
  [
    'drive-* onedrive-* dropbox-* azureblob-* azurefiles-* b2-* gcs-* swift-* sftp-* ftp-* webdav-* smb-* crypt-* chunker-* union-* box-* hdfs-* oos-* qingstor-* storj-* vfs-*',
    'not supported: xsync supports only S3, OSS and local disk',
  ],
];

export interface Foreign {
  kind: ForeignKind;
  /** A sentence without capital and full stop. */
  text: string;
}

const KINDS: readonly (readonly [ForeignKind, readonly Row[]])[] = [
  ['name', NAME],
  ['needless', NEEDLESS],
  ['absent', ABSENT],
];

/** What is known of another tool's option. @param name without dashes and value: `fast-list` */
export function foreignOption(name: string): Foreign | undefined {
  return find((given) => given === name);
}

/** What is known of all options whose names start or end like this one. */
export function foreignFamily(name: string): Foreign | undefined {
  return find((given) => matches(given, name));
}

function find(fits: (given: string) => boolean): Foreign | undefined {
  for (const [kind, rows] of KINDS) {
    for (const [names, text] of rows) if (names.split(' ').some(fits)) return { kind, text };
  }
  return undefined;
}

function matches(pattern: string, name: string): boolean {
  const [start = '', end] = pattern.split('*');
  return end !== undefined && name.startsWith(start) && name.endsWith(end);
}
