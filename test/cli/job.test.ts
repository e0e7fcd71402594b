import { afterEach, describe, expect, test, vi } from 'vitest';
import { jobOf } from '../../src/cli/job.js';
import { buildProgram } from '../../src/cli/main.js';
import { type Mode, parseJob } from '../../src/engine/job/job.js';
import type { OptionSpec, OptionTable } from '../../src/engine/job/option.js';
import { MODES } from '../../src/engine/job/options.js';
import { fakeIo } from './fixtures.js';

const PLACES = { source: 'a', destination: 'b' };
const EACH: Mode[] = ['copy', 'sync', 'mirror', 'watch', 'check'];

/** What the command line alone has: how it shows and tells, and what makes an exit code. */
const OWN = [
  ...['verbose', 'quiet', 'log-level', 'log-file', 'progress', 'stats', 'stats-one-line', 'json', 'use-json-log'],
  ...['metrics-addr', 'notify', 'rpo', 'error-on-no-transfer', 'interactive', 'dump', 'syslog', 'syslog-facility'],
  ...['combined', 'missing-on-src', 'missing-on-dst', 'match', 'differ', 'error', 'urls'],
];
/** Known to watch, to be refused. */
const UNFIT = ['dry-run', 'max-transfer', 'max-cost', 'max-duration', 'cutoff-mode'];

function commandOf(mode: string) {
  const command = buildProgram(fakeIo(), () => {}).commands.find((each) => each.name() === mode);
  if (!command) throw new Error(`there is no command ${mode}`);
  return command;
}

function specsOf(mode: Mode): { flags: string; description: string }[] {
  const table: OptionTable = MODES[mode];
  return Object.values(table).flatMap((option: OptionSpec) => {
    if (option.kind === 'one-of') return Object.values(option.choices);
    return option.kind === 'negated' && option.positive ? [option, option.positive] : [option];
  });
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe.each(EACH)('%s', (mode) => {
  test('has a flag for each option of its job, as the table says, and no other', () => {
    const { options } = commandOf(mode);
    const unfit = mode === 'watch' ? UNFIT : mode === 'mirror' ? ['versions'] : [];
    const known = options.filter((option) => ![...OWN, ...unfit].includes(option.name()));
    const told = known.map(({ flags, description }) => ({ flags, description }));
    const byFlags = (a: { flags: string }, b: { flags: string }): number => (a.flags < b.flags ? -1 : 1);
    const wanted = specsOf(mode).map(({ flags, description }) => ({ flags, description }));
    expect(told.sort(byFlags)).toEqual(wanted.sort(byFlags));
  });

  test('without any flag makes the job of two places alone', async () => {
    const command = commandOf(mode);
    command.parseOptions([]);
    const job = await jobOf(mode, PLACES, command.opts());
    expect(JSON.parse(JSON.stringify(job))).toEqual(JSON.parse(JSON.stringify(parseJob(mode, PLACES))));
  });

  test('makes "off" of a default that was switched off, on the command line and in the environment', async () => {
    const command = commandOf(mode)
      .exitOverride()
      .action(() => {});
    await command.parseAsync(['a', 'b', '--timeout', 'off'], { from: 'user' });
    expect((await jobOf(mode, PLACES, command.opts())).timeout).toBe('off');
    vi.stubEnv('XSYNC_CONTIMEOUT', 'off');
    const again = commandOf(mode)
      .exitOverride()
      .action(() => {});
    await again.parseAsync(['a', 'b'], { from: 'user' });
    expect(await jobOf(mode, PLACES, again.opts())).toMatchObject({ timeout: 60_000, contimeout: 'off' });
  });
});

test('each option of a job is set by its own variable', () => {
  for (const mode of EACH) {
    const variables = new Map<string, string>();
    for (const { flags } of specsOf(mode)) {
      const [long = ''] = /--[\w-]+/.exec(flags) ?? [];
      variables.set(long, `XSYNC_${long.slice(2).toUpperCase().replaceAll('-', '_')}`);
    }
    // What has no value is set by a word for yes alone.
    for (const variable of variables.values()) vi.stubEnv(variable, '1');
    const { options } = commandOf(mode);
    vi.unstubAllEnvs();
    for (const [long, variable] of variables) expect(options.find((each) => each.long === long)?.envVar).toBe(variable);
  }
});
