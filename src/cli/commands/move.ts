/** `move` and `moveto`. Tests: test/e2e/move.test.ts */
import { MOVE } from '../../engine/job/options.js';
import { options } from '../job.js';
import type { Program } from '../program.js';
import { copyOptions } from './copy.js';
import type { TransferCommandFlags } from './transfer.js';

const PROOF =
  'Each object is deleted at the source only after a checksum has proved the copy of that very version; all others are kept.';

export function addMove({ root, io, finish }: Program): void {
  const command = root
    .command('move <source> <destination>')
    .summary('copy objects, then delete them at the source')
    .description(`Copy objects from source to destination, and delete them at the source. ${PROOF}`)
    .optionsGroup('Move:')
    .addHelpText('after', MOVE_EXAMPLES);
  options(command, MOVE);
  copyOptions(command).action(async (source: string, destination: string, flags: TransferCommandFlags) => {
    const { transferCommand } = await import('./transfer.js');
    finish(await transferCommand(io, 'move', source, destination, flags));
  });
}

export function addMoveto({ root, io, finish }: Program): void {
  const command = root
    .command('moveto <source> <destination>')
    .summary('move a single object to a new name')
    .description(`Copy the source object to the destination key or file, and delete it at the source. ${PROOF}`)
    .optionsGroup('Move:')
    .addHelpText('after', MOVETO_EXAMPLES);
  options(command, MOVE);
  copyOptions(command).action(async (source: string, destination: string, flags: TransferCommandFlags) => {
    const { transferCommand } = await import('./transfer.js');
    finish(await transferCommand(io, 'moveto', source, destination, flags));
  });
}

const MOVE_EXAMPLES = `
Examples:
  xsync move ./outbox s3://my-bucket/inbox
  xsync move shanghai:logs virginia:archive/logs --min-age 30d --dry-run

After any interruption, including kill -9, run the same command again. Objects
that are already at the destination are compared by checksum before their source
is deleted.`;

const MOVETO_EXAMPLES = `
Examples:
  xsync moveto ./report.pdf s3://my-bucket/2024/final.pdf
  xsync moveto lab:bucket/old-name lab:bucket/new-name`;
