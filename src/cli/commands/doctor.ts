import { runCommand } from '../context.js';
import { flag, value } from '../define.js';
import { configOption, logOptions, transportOptions } from '../options.js';
import type { Program } from '../program.js';
import { parseDuration, parseSize } from '../values.js';
import type { DoctorFlags } from './examine.js';

const MIB = 1024 ** 2;

export function addDoctor({ root, io, finish }: Program): void {
  const command = root
    .command('doctor [paths...]')
    .summary('look for what is wrong, or could be faster')
    .description(
      'Looks at this host, at the way to each endpoint, and at what the credentials may do, and says what to do ' +
        'about what it finds. With paths it tries them; without, it tries to reach every remote of the config.',
    )
    .optionsGroup('Doctor:')
    .addHelpText('after', EXAMPLES);
  flag(command, '--write', 'also put, upload in parts and remove small objects (.xsync-doctor-…)');
  value(command, '--probe-size <size>', 'bytes to measure the throughput with, off for none', parseSize, [
    8 * MIB,
    '8M',
  ]);
  flag(command, '--json', 'the findings as one JSON document (docs/doctor.md)');
  value(command, '--contimeout <duration>', 'give up on connecting after', parseDuration, [10_000, '10s']);
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

Marks: ✓ good, ! could be better, ✗ will not work, · not looked at.
The exit code is 0 without any ✗, else 1.`;
