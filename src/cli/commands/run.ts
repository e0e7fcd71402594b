/** Tests: test/e2e/rules.test.ts */
import { parseInteger } from '../../engine/job/values.js';
import { value } from '../define.js';
import { configOption, queueOption, reportOptions, rulesOption, sharedOptions } from '../options.js';
import type { Program } from '../program.js';
import type { RunFlags } from './ruling.js';

/** Rules that run at the same time. */
const PARALLEL = 4;

export function addRun({ root, io, finish }: Program): void {
  const command = root
    .command('run [rule...]')
    .summary('run rules once')
    .description(
      'Run the named rules once, or all that are enabled, those with a higher priority first. A rule that reads what ' +
        'another one writes runs after it. The exit code is the worst of all rules: a rule that fails does not keep the ' +
        'others from running.',
    )
    .addHelpText('after', EXAMPLES);
  rulesOption(command);
  value(
    command,
    '--parallel <n>',
    'number of sources to read at the same time; rules of one source run together',
    (option, text) => parseInteger(option, text, { min: 1, max: 1000 }),
    [PARALLEL],
  );
  sharedOptions(command);
  queueOption(command);
  reportOptions(command);
  configOption(command).action(async (names: string[], flags: RunFlags) => {
    const { runRules } = await import('./ruling.js');
    finish(await runRules(io, names, flags, false));
  });
}

const EXAMPLES = `
Examples:
  xsync run
  xsync run photos logs --rules rules.yaml
  xsync rules plan photos                  (what it would do)`;
