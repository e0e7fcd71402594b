/**
 * Who may import whom below `src`, and which folder owns which package. A row is a folder, or a file without its `.ts`;
 * the longest row that a path starts with holds. What is not named is forbidden. A folder may import itself, and whoever
 * may import a folder may import the rows below it.
 */

/** Nouns and helpers without a side. */
const PORTS = ['model', 'store/port', 'store/wrap', 'manifest', 'hash'];
/** The engine's own nouns. */
const ENGINE = ['engine/events', 'engine/options', 'engine/pair'];
/** What every adapter needs. */
const ADAPTER = ['model', 'hash', 'store/port', 'store/signal', 'store/backend'];

export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  model: [],
  version: [],
  hash: ['model'],
  native: [],

  'store/port': ['model'],
  'store/signal': ['model', 'store/port'],
  'store/accelerate': ['model', 'store/port'],
  'store/backend': ['model', 'store/port', 'store/http'],
  'store/rclone': ['store/backend'],
  'store/registry': ['store/backend', 'store/s3', 'store/oss', 'store/local', 'store/memory'],
  'store/prices': ['model'],
  'store/wrap': ['model', 'store/port'],
  'store/http': ['model', 'store/port', 'store/signal', 'native'],
  'store/local': [...ADAPTER],
  'store/memory': [...ADAPTER],
  'store/s3': [...ADAPTER, 'store/accelerate', 'store/http', 'store/prices', 'store/rclone'],
  'store/oss': [...ADAPTER, 'store/accelerate', 'store/http', 'store/prices', 'store/rclone'],
  manifest: ['model', 'hash'],

  'engine/events': ['model', 'store/wrap', 'manifest', 'engine/decide'],
  'engine/pair': [...PORTS, 'engine/events'],
  'engine/options': [
    ...PORTS,
    'engine/events',
    'engine/pair',
    'engine/decide',
    'engine/filter',
    'engine/list',
    'engine/flow',
  ],
  'engine/filter': ['model'],
  'engine/flow': [...PORTS, ...ENGINE],
  'engine/list': [...PORTS, ...ENGINE, 'engine/decide', 'engine/flow', 'engine/transfer'],
  'engine/decide': [...PORTS, ...ENGINE, 'engine/flow', 'engine/plan'],
  'engine/plan': [...PORTS, ...ENGINE, 'engine/flow'],
  'engine/tune': [...PORTS, ...ENGINE, 'engine/plan', 'engine/transfer'],
  'engine/transfer': [...PORTS, ...ENGINE, 'engine/flow', 'engine/plan', 'engine/tune', 'engine/record'],
  'engine/record': [...PORTS, ...ENGINE, 'engine/decide', 'engine/list', 'engine/pass', 'engine/plan'],
  'engine/pass': [
    ...[...PORTS, ...ENGINE, 'engine/list', 'engine/decide', 'engine/plan', 'engine/flow', 'engine/transfer'],
    'engine/record',
  ],
  'engine/shared': [...ENGINE, 'engine/flow', 'engine/transfer', 'engine/tune'],
  'engine/run': [
    ...[...PORTS, ...ENGINE, 'engine/flow', 'engine/pass', 'engine/plan', 'engine/record', 'engine/transfer'],
    'engine/shared',
  ],
  'engine/rows': [
    ...[...PORTS, ...ENGINE, 'engine/decide', 'engine/flow', 'engine/list', 'engine/record', 'engine/transfer'],
  ],
  'engine/check': [
    ...[...PORTS, ...ENGINE, 'engine/decide', 'engine/flow', 'engine/list', 'engine/plan', 'engine/record'],
    ...['engine/transfer', 'engine/run'],
  ],
  'engine/watch': [
    ...[
      ...PORTS,
      ...ENGINE,
      'engine/decide',
      'engine/flow',
      'engine/list',
      'engine/plan',
      'engine/run',
      'engine/shared',
    ],
  ],

  inbound: ['model'],
  feed: ['model', 'inbound'],
  observe: ['model', 'version', 'engine', 'inbound'],
  config: ['model', 'store/backend', 'store/registry'],
  open: [
    ...['model', 'version', 'config', 'engine', 'manifest', 'store/port', 'store/backend', 'store/http', 'store/wrap'],
  ],
  doctor: ['model', 'store/port', 'store/backend'],
  cli: [
    ...['model', 'version', 'config', 'doctor', 'engine', 'feed', 'inbound', 'manifest', 'native', 'observe', 'open'],
    ...['store/port'],
  ],
  index: ['model', 'engine', 'open', 'store/port'],
};

export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  '@aws-sdk/client-s3': ['store/s3'],
  '@aws-sdk/client-sqs': ['feed'],
  'ali-oss': ['store/oss'],
  'better-sqlite3': ['manifest/sqlite'],
  chalk: ['cli/render'],
  'cli-progress': ['cli/render'],
  commander: ['cli'],
  fastify: ['inbound'],
  'hash-wasm': ['hash'],
  koffi: ['native'],
  mime: ['store/local'],
  'p-limit': ['engine/flow'],
  'prom-client': ['observe'],
  re2js: ['engine/filter'],
  'string-width': ['cli/render'],
  undici: ['store/http'],
  'wrap-ansi': ['cli/render'],
  yaml: ['config'],
  zod: [
    'config',
    'engine/plan',
    'store/backend',
    'store/local',
    'store/memory',
    'store/oss',
    'store/prices',
    'store/s3',
  ],
};
