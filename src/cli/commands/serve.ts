/** Tests: test/e2e/rules.test.ts */
import { parseInteger } from '../../engine/job/values.js';
import { parseListenAddress } from '../../inbound/address.js';
import { list, value } from '../define.js';
import {
  configOption,
  metricsOption,
  notifyOption,
  queueOption,
  reportOptions,
  rulesOption,
  sharedOptions,
} from '../options.js';
import type { Program } from '../program.js';
import type { ServeFlags } from './serving-rules.js';

/** Passes that begin at the same time. */
const PARALLEL = 16;

export function addServe({ root, io, finish }: Program): void {
  const command = root
    .command('serve')
    .summary('run all rules until stopped')
    .description(
      'Run all enabled rules until stopped, each at its own times and by change events. Connections, memory and rate ' +
        'limits are shared fairly: a destination that fails or is slow does not hold the others back.',
    )
    .addHelpText('after', EXAMPLES);
  rulesOption(command);
  value(
    command,
    '--parallel <n>',
    'number of passes to begin at the same time',
    (option, text) => parseInteger(option, text, { min: 1, max: 1000 }),
    [PARALLEL],
  );
  value(
    command,
    '--events <source>',
    'receive change events for all rules: :port/path, sqs://… or - (docs/events.md)',
    (_option, text) => text,
  );
  notifyOption(metricsOption(command));
  value(command, '--web <address>', 'serve a page with the status of all rules at [HOST]:PORT', parseListenAddress);
  list(
    command,
    '--web-host <name>',
    'another name under which the page is reached, such as that of a proxy; can be repeated',
  );
  sharedOptions(command);
  queueOption(command);
  reportOptions(command);
  configOption(command).action(async (flags: ServeFlags) => {
    const { serveRules } = await import('./serving-rules.js');
    finish(await serveRules(io, flags));
  });
}

const EXAMPLES = `
Examples:
  xsync serve --metrics-addr :9090 --web :8080
  xsync serve --rules rules.yaml --events :8080/changes
  xsync status                             (in another terminal)

SIGTERM or Ctrl-C finishes the transfers in flight. SIGHUP reads the rules
again: what has not changed keeps running. See docs/rules.md.`;
