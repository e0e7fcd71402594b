/**
 * A program whose every ticket and outcome goes through JSON on its way, and appends a line about each to the file in
 * XSYNC_TEST_TICKETS.
 */
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '../../build/bundle.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const SOURCE = `
  import { appendFileSync } from 'node:fs';
  import * as real from './perform.js?real';
  import { validTicket } from '../plan/valid-ticket.js';
  const viaJson = (value) => JSON.parse(JSON.stringify(value));
  const sent = (ticket) => validTicket(viaJson(ticket));
  const note = (tickets, outcomes) => {
    const lines = tickets.map(({ action, key }, index) => JSON.stringify([action, key, outcomes[index].kind]));
    appendFileSync(process.env.XSYNC_TEST_TICKETS, lines.join('\\n') + '\\n');
  };
  export async function perform(ticket, means) {
    const outcome = viaJson(await real.perform(sent(ticket), means));
    note([ticket], [outcome]);
    return outcome;
  }
  export async function performMarker(ticket, means) {
    const outcome = viaJson(await real.performMarker(sent(ticket), means));
    note([ticket], [outcome]);
    return outcome;
  }
  export async function performVersionDelete(ticket, means) {
    const outcome = viaJson(await real.performVersionDelete(sent(ticket), means));
    note([ticket], [outcome]);
    return outcome;
  }
  export async function performDeletes(tickets, means) {
    const outcomes = viaJson(await real.performDeletes(tickets.map(sent), means));
    note(tickets, outcomes);
    return outcomes;
  }
`;

/** Builds the program in a folder. @returns the path of its `xsync.js` */
export async function buildWithJsonTickets(folder: string): Promise<string> {
  const directory = join(ROOT, 'src/engine/transfer');
  mkdirSync(folder);
  for (const name of ['bin', 'package.json']) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await bundle(join(folder, 'dist'), [
    {
      name: 'json-tickets',
      setup({ onResolve, onLoad }) {
        onResolve({ filter: /\/perform\.js\?real$/ }, () => ({
          path: join(directory, 'perform.ts'),
          namespace: 'file',
        }));
        onResolve({ filter: /\/perform\.js$/ }, () => ({ path: 'perform', namespace: 'json-tickets' }));
        onLoad({ filter: /./, namespace: 'json-tickets' }, () => ({ contents: SOURCE, resolveDir: directory }));
      },
    },
  ]);
  return join(folder, 'bin/xsync.js');
}
