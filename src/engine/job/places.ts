/** The options for how a job connects to its places and which objects it covers. Tests: test/engine/job/job.test.ts */
import { LIST_CONCURRENCY } from '../list/ranges-pace.js';
import { bandwidth, choice, count, duration, flag, instant, list, negated, rate, size, text } from './option.js';

export const CONFIG = { config: text('--config <file>', 'config file with the remotes') };

export const LIST = {
  listConcurrency: count('--list-concurrency <n>', 'maximum number of list requests in parallel', LIST_CONCURRENCY),
};

export const AT = {
  at: instant('--at <time>', 'read a bucket with versions as it was at this time: a duration ago, or a date'),
};

export const INVENTORY = {
  sourceInventory: text(
    '--source-inventory <location>',
    'read the objects of the source from this S3 or OSS inventory, and do not list them (docs/inventory.md)',
  ),
  destInventory: text('--dest-inventory <location>', 'the same for the destination'),
};

export const OBJECT_LIST = {
  filesFromVersions: text(
    '--files-from-versions <file>',
    'copy only the versions listed in FILE: a key, a tab and a version ID per line (docs/inventory.md)',
  ),
  batchManifest: text(
    '--batch-manifest <location>',
    'copy only the objects and versions of this S3 Batch Operations manifest or completion report (CSV)',
  ),
};

export const MANIFEST = { manifest: text('--manifest <file>', 'keep the manifest of this pair in FILE') };

/** Of a command that only reads what earlier runs recorded. */
export const KNOWN_MANIFEST = { manifest: text('--manifest <file>', 'use the pair whose manifest is FILE') };

export const LINKS = {
  copyLinks: flag('-L, --copy-links', 'follow symbolic links on local disk; the same as --links follow'),
  localXattrs: flag(
    '--local-xattrs',
    'keep metadata and content headers in extended attributes (user.*) on local disk',
  ),
  localPermissions: choice(
    '--local-permissions <what>',
    'copy permissions from and to local disk as metadata: none, mode, owner (mode, user, group) or all (setuid too)',
    ['none', 'mode', 'owner', 'all'],
    'none',
  ),
  localEncoding: text(
    '--local-encoding <name>',
    'encoding of file names on local disk, such as gbk or latin1 (default: UTF-8)',
  ),
};

/** Of a command that copies or compares. */
export const LINK_MODE = {
  links: choice(
    '--links <mode>',
    'symbolic links: keep (as links), follow (what they point to) or skip; auto: keep from OSS to OSS (docs/links.md)',
    ['auto', 'keep', 'follow', 'skip'],
    'auto',
  ),
};

/** Of what is written at the destination. */
export const ENCRYPTION = {
  sse: text(
    '--sse <method>',
    "encryption by the destination: none, aes256, kms, kms:KEY or sm4 (default: the remote's)",
  ),
};

export const FILTER = {
  include: list('--include <pattern>', 'include only matching keys; all filters can be repeated'),
  includeFrom: list('--include-from <file>', 'read include patterns from FILE, one per line'),
  exclude: list('--exclude <pattern>', 'exclude matching keys'),
  excludeFrom: list('--exclude-from <file>', 'read exclude patterns from FILE'),
  filter: list('-f, --filter <rule>', '"+ pattern" or "- pattern"; the first match decides'),
  filterFrom: list('--filter-from <file>', 'read filter rules from FILE, one per line'),
  filesFrom: list('--files-from <file>', 'include only the keys listed in FILE'),
  filesFromRaw: list('--files-from-raw <file>', 'like --files-from, but use every line verbatim'),
  ignoreCase: flag('--ignore-case', 'ignore case in patterns'),
  minSize: size('--min-size <size>', 'skip objects smaller than this'),
  maxSize: size('--max-size <size>', 'skip objects larger than this'),
  minAge: instant('--min-age <age>', 'skip objects newer than this duration or date'),
  maxAge: instant('--max-age <age>', 'skip objects older than this duration or date'),
  maxDepth: count('--max-depth <n>', 'maximum depth of folders; 1: only objects directly in the path'),
  excludeIfPresent: list('--exclude-if-present <name>', 'exclude folders that contain a file of this name'),
};

export const TAG_FILTER = {
  includeTag: list(
    '--include-tag <key=value>',
    'copy only objects with this tag, or with all of several tags: a=1,b=2 (a request per new or changed object)',
  ),
  excludeTag: list('--exclude-tag <key=value>', 'copy no objects with this tag, or with all of several'),
};

export const TAGS_AGAIN = {
  recheckTags: flag('--recheck-tags', 'look again at the tags of objects that were left out by their tags before'),
};

/** How connections are made. */
export const TRANSPORT = {
  congestion: choice(
    '--congestion <name>',
    'TCP congestion control of the lean transport (Linux)',
    ['auto', 'bbr', 'cubic', 'system'],
    'auto',
  ),
  transport: choice('--transport <name>', 'HTTP client', ['lean', 'sdk'], 'lean'),
  caCert: list('--ca-cert <file>', 'also trust the CA certificates (PEM) in FILE'),
  clientCert: text('--client-cert <file>', 'client certificate (PEM) for mutual TLS'),
  clientKey: text(
    '--client-key <file>',
    'private key (PEM) of the client certificate (default: in the file of --client-cert)',
  ),
  checkCertificate: negated('--no-check-certificate', 'accept any server certificate (insecure)'),
};

export const NETWORK = {
  bwlimit: bandwidth('--bwlimit <limit>', 'bytes per second: 10M, up:down 10M:1M, or a timetable'),
  tpslimit: rate('--tpslimit <n>', 'maximum number of requests per second'),
  tpslimitBurst: count('--tpslimit-burst <n>', 'maximum burst of requests', 1),
  lowLevelRetries: count('--low-level-retries <n>', 'number of attempts per request', 10),
  timeout: duration('--timeout <duration>', 'idle timeout of a connection', 60_000, '60s'),
  contimeout: duration('--contimeout <duration>', 'timeout for connecting', 15_000, '15s'),
  ...TRANSPORT,
  allowHost: list(
    '--allow-host <host>',
    'host of URLs that is trusted: redirects may lead to it, and a bridge pulls only from it; *.example.com: all below',
  ),
  allowPrivate: list('--allow-private <host>', 'host of URLs that may have a private address'),
};
