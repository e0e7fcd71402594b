/**
 * Who may import whom below `src`, and which folder owns which package. A row is a folder, or a file without its `.ts`;
 * the longest row that a path starts with holds. What is not named is forbidden. A folder may import itself, and whoever
 * may import a folder may import the rows below it.
 */
export const ROOMS: Readonly<Record<string, string>> = {
  model: '',
  version: '',
  hash: '',
  native: 'model',
  aws: 'model',
  'store/port': 'model',
  'store/attributes': 'model store/port',
  'store/backend': 'model store/port store/ini store/http',
  'store/signal': 'model store/port',
  'store/accelerate': 'model store/port',
  'store/prices': 'model',
  'store/rclone': 'store/backend',
  'store/ini': 'model',
  'store/registry': 'store/backend store/local store/memory store/s3 store/oss',
  'store/wrap': 'model store/port',
  'store/http': 'model native store/port',
  'store/local': 'model hash native store/port store/attributes store/backend store/signal',
  'store/memory': 'model hash store/port store/attributes store/backend store/signal',
  'store/s3':
    'model hash aws store/port store/attributes store/backend store/accelerate store/prices store/rclone store/http',
  'store/oss':
    'model store/port store/attributes store/backend store/accelerate store/prices store/rclone store/ini store/http',
  manifest: 'model hash native',
  'engine/events': 'model store/wrap manifest engine/decide',
  'engine/census': '',
  'engine/pair': 'model store/port store/wrap manifest engine/events engine/workers',
  'engine/fidelity': 'model store/port store/attributes',
  'engine/options': 'model engine/pair engine/filter engine/list engine/decide',
  'engine/job': 'model engine/options engine/list',
  'engine/filter': 'model',
  'engine/flow': 'model engine/events',
  'engine/list': 'model store/port manifest engine/events engine/pair engine/options engine/flow',
  'engine/decide': 'model hash store/port engine/pair engine/options engine/flow engine/list',
  'engine/plan': 'model store/port manifest engine/events engine/pair engine/options engine/flow',
  'engine/tune':
    'model native store/port manifest engine/events engine/pair engine/options engine/plan engine/record/facts',
  'engine/transfer':
    'model hash store/port store/wrap manifest engine/events engine/flow engine/decide engine/fidelity engine/plan engine/tune',
  'engine/transfer/pour': 'model hash store/port engine/transfer/standing',
  'engine/transfer/standing': 'model store/port',
  'engine/record/facts': 'model manifest engine/events',
  'engine/record': 'model manifest engine/events engine/census engine/pair engine/list engine/decide engine/plan',
  'engine/remove/empty-folders': 'engine/pair',
  'engine/remove': 'model engine/events engine/flow engine/pair engine/plan engine/transfer',
  'engine/workers': 'model manifest store/wrap engine/pair engine/flow engine/transfer engine/tune',
  'engine/pass':
    'model store/port manifest engine/events engine/census engine/pair engine/options engine/flow engine/list engine/decide engine/plan engine/transfer engine/record engine/remove/empty-folders',
  'engine/shared': 'engine/events engine/pair engine/options engine/flow engine/tune engine/transfer',
  'engine/run':
    'model manifest engine/events engine/census engine/pair engine/options engine/flow engine/plan engine/transfer engine/record engine/pass engine/shared engine/workers',
  'engine/rows': 'model engine/events engine/pair engine/flow engine/list engine/decide engine/record',
  'engine/check':
    'model store/port store/wrap manifest engine/events engine/pair engine/options engine/flow engine/list engine/decide engine/plan engine/record engine/run',
  'engine/watch':
    'model manifest engine/events engine/pair engine/options engine/flow engine/list engine/decide engine/plan engine/shared engine/run',
  inbound: 'model',
  feed: 'model aws inbound',
  observe: 'model version engine/events engine/record inbound',
  config: 'model native store/backend store/ini store/registry',
  open: 'model version hash store/port store/backend store/wrap store/http manifest engine/events engine/pair engine/options engine/job engine/filter engine/decide engine/list engine/record engine/run engine/check engine/watch engine/workers feed config',
  doctor: 'model native store/port store/backend store/http',
  cli: 'model version native store/port manifest engine/events engine/pair engine/options engine/job engine/filter engine/list engine/record engine/run engine/rows engine/check engine/watch engine/transfer/pour engine/remove inbound observe config open doctor',
  index: 'model store/port engine/events engine/job engine/record engine/check open',
};

/** A package that is not named may not be imported. */
export const PACKAGES: Readonly<Record<string, string>> = {
  '@alicloud/credentials': 'store/oss',
  '@alicloud/credentials/dist/src/utils/command.js': 'store/oss',
  '@aws-sdk/client-s3': 'store/s3',
  '@aws-sdk/client-sqs': 'feed',
  '@aws-sdk/credential-provider-ini': 'aws',
  '@aws-sdk/credential-provider-node': 'aws',
  '@aws-sdk/util-endpoints': 'aws',
  '@smithy/core/config': 'aws',
  'ali-oss': 'store/oss',
  'better-sqlite3': 'manifest/sqlite',
  chalk: 'cli/render',
  'cli-progress': 'cli/render',
  commander: 'cli',
  fastify: 'inbound',
  'hash-wasm': 'hash',
  'iconv-lite': 'store/local',
  koffi: 'native',
  mime: 'engine/plan store/local',
  'p-limit': 'engine/flow',
  'prom-client': 'observe',
  re2js: 'engine/filter',
  'string-width': 'cli/render',
  undici: 'store/http',
  yaml: 'config',
  zod: 'config hash engine/job engine/plan engine/record/facts store/backend store/local store/memory store/oss store/prices store/s3 store/http/settings',
};
