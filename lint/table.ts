/**
 * Who may import whom below `src`, and which folder owns which package. A row is a folder, or a file without its `.ts`;
 * the longest row that a path starts with holds. What is not named is forbidden. A folder may import itself, and whoever
 * may import a folder may import the rows below it.
 */

/** Nouns and helpers without a side. */
const PORTS = ['model', 'store/port', 'store/wrap', 'manifest', 'hash'];
/** The engine's own nouns. */
const ENGINE = ['engine/events', 'engine/options'];

export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  model: [],
  version: [],
  hash: ['model'],
  native: [],

  'store/port': ['model'],
  'store/signal': ['model', 'store/port'],
  'store/accelerate': ['model', 'store/port'],
  'store/prices': ['model'],
  'store/wrap': ['model', 'store/port'],
  'store/http': ['model', 'store/port', 'store/signal', 'native'],
  'store/local': ['model', 'store/port', 'store/signal', 'hash'],
  'store/memory': ['model', 'store/port', 'store/signal', 'hash'],
  'store/s3': ['model', 'store/port', 'store/signal', 'store/accelerate', 'store/http', 'store/prices', 'hash'],
  'store/oss': ['model', 'store/port', 'store/signal', 'store/accelerate', 'store/http', 'store/prices', 'hash'],
  manifest: ['model', 'hash'],

  'engine/events': ['model', 'store/wrap', 'manifest', 'engine/decide', 'engine/plan'],
  'engine/options': [...PORTS, 'engine/events', 'engine/decide', 'engine/filter', 'engine/list', 'engine/flow'],
  'engine/filter': ['model'],
  'engine/flow': [...ENGINE],
  'engine/list': [...PORTS, ...ENGINE, 'engine/decide', 'engine/flow', 'engine/transfer'],
  'engine/decide': [...PORTS, ...ENGINE, 'engine/flow', 'engine/plan'],
  'engine/plan': [...PORTS, ...ENGINE, 'engine/decide'],
  'engine/tune': [...PORTS, ...ENGINE, 'engine/plan', 'engine/transfer', 'engine/record/facts'],
  'engine/transfer': [...PORTS, ...ENGINE, 'engine/flow', 'engine/plan', 'engine/tune', 'engine/record'],
  'engine/record': [...PORTS, ...ENGINE, 'engine/decide', 'engine/list', 'engine/pass', 'engine/plan'],
  'engine/record/facts': ['model', 'manifest', 'engine/events'],
  'engine/pass': [
    ...[...PORTS, ...ENGINE, 'engine/list', 'engine/decide', 'engine/plan', 'engine/flow', 'engine/transfer'],
    'engine/record',
  ],
  'engine/run': [
    ...[...PORTS, ...ENGINE, 'engine/flow', 'engine/pass', 'engine/plan', 'engine/record', 'engine/transfer'],
    'engine/tune',
  ],
  'engine/rows': [
    ...[...PORTS, ...ENGINE, 'engine/decide', 'engine/flow', 'engine/list', 'engine/record', 'engine/transfer'],
  ],
  'engine/check': [
    ...[...PORTS, ...ENGINE, 'engine/decide', 'engine/flow', 'engine/list', 'engine/plan', 'engine/record'],
    ...['engine/transfer', 'engine/run'],
  ],
  'engine/watch': [
    ...[...PORTS, ...ENGINE, 'engine/decide', 'engine/flow', 'engine/list', 'engine/plan', 'engine/run'],
  ],

  feed: ['model'],
  observe: ['model', 'version', 'engine'],
  config: ['model', 'store/s3', 'store/oss'],
  open: ['model', 'version', 'config', 'engine', 'manifest', 'store'],
  doctor: ['model', 'store/port'],
  cli: [
    ...['model', 'version', 'config', 'doctor', 'engine', 'feed', 'manifest', 'native', 'observe', 'open'],
    'store/port',
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
  fastify: ['observe', 'feed'],
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
  zod: ['config', 'store', 'engine/record/facts'],
};
