/**
 * Loaded into the built program by `--import`: every ticket and outcome goes through JSON on its way, and a line about
 * each is appended to the file in XSYNC_TEST_TICKETS.
 */
import { register } from 'node:module';

const hooks = `
  export async function load(url, context, next) {
    if (!url.endsWith('/dist/engine/transfer/perform.js')) return next(url, context);
    const valid = new URL('../plan/valid-ticket.js', url).href;
    const source = \`
      import { appendFileSync } from 'node:fs';
      import * as real from '\${url}?real';
      import { validTicket } from '\${valid}';
      const viaJson = (value) => JSON.parse(JSON.stringify(value));
      const sent = (ticket) => validTicket(viaJson(ticket));
      const note = (tickets, outcomes) => {
        const lines = tickets.map(({ action, key }, index) => JSON.stringify([action, key, outcomes[index].kind]));
        appendFileSync(process.env.XSYNC_TEST_TICKETS, lines.join('\\\\n') + '\\\\n');
      };
      export async function perform(ticket, means) {
        const outcome = viaJson(await real.perform(sent(ticket), means));
        note([ticket], [outcome]);
        return outcome;
      }
      export async function performDeletes(tickets, means) {
        const outcomes = viaJson(await real.performDeletes(tickets.map(sent), means));
        note(tickets, outcomes);
        return outcomes;
      }
    \`;
    return { format: 'module', source, shortCircuit: true };
  }
`;

register(`data:text/javascript,${encodeURIComponent(hooks)}`);
