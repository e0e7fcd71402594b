/** Tests: test/doctor/doctor.test.ts */

import { parseDuration, parseSize } from '../../engine/job/values.js';
import { runCommand } from '../context.js';
import { flag, value } from '../define.js';
import { configOption, logOptions, transportOptions } from '../options.js';
import type { Program } from '../program.js';
import type { DoctorFlags } from './examine.js';

const MIB = 1024 ** 2;

export function addDoctor({ root, io, finish }: Program): void {
  const command = root
    .command('doctor [paths...]')
    .summary('find problems and ways to speed up transfers')
    .description(
      'Check this host, the connection to each endpoint and the permissions of the credentials, and print a remedy ' +
        'for each problem. With paths, test them; without, connect to every remote in the config file.',
    )
    .optionsGroup('Doctor:')
    .addHelpText('after', EXAMPLES);
  flag(command, '--write', 'also write and delete small test objects (.xsync-doctor-…)');
  value(command, '--probe-size <size>', 'bytes to read for measuring throughput; off: none', parseSize, [
    8 * MIB,
    '8M',
  ]);
  flag(command, '--json', 'print the findings as a JSON document (docs/doctor.md)');
  value(command, '--contimeout <duration>', 'timeout for connecting', parseDuration, [10_000, '10s']);
  transportOptions(command);
  logOptions(command);
  configOption(command).action(async (paths: string[], flags: DoctorFlags) => {
    // Its JSON is a result, not a log.
    const { json: _, ...log } = flags;
    finish(
      await runCommand(io, log, { bars: false }, async (context) => {
        const { Examination } = await import('./examine.js');
        return new Examination(context, flags).run(paths);
      }),
    );
  });
}

const EXAMPLES = `
Examples:
  xsync doctor
  xsync doctor virginia:src-bucket shanghai:dst-bucket/folder
  xsync doctor --write ./photos s3://my-bucket/photos

Marks: ✓ good, ! could be better, ✗ will not work, · not checked.
The exit code is 1 if there is any ✗, else 0.`;
