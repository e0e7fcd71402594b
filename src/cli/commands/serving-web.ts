/** The page of `serve --web`: what it shows is in the manifests of the pairs that are served. Tests: test/e2e/web.test.ts */
import type { RunEvent } from '../../engine/events.js';
import type { Watch } from '../../engine/watch/watch.js';
import type { ListenAddress } from '../../inbound/address.js';
import { holderOf } from '../../manifest/sqlite/lock.js';
import type { PreparedPair } from '../../open/rules.js';
import type { BoardPair } from '../../web/board.js';
import type { Context } from '../context.js';

const TOKEN = 'XSYNC_WEB_TOKEN';

export interface WebFlags {
  web?: ListenAddress;
  webHost?: string[];
}

type Pair = PreparedPair & { id: string };

/** The page of a process; without `--web` nobody sees it. */
export interface RulesPage {
  /** From now on the page shows these. */
  set(pairs: readonly Pair[]): void;
  hear(id: string, event: RunEvent): void;
  close(): Promise<void>;
}

/** @param watchOf the watch of a pair, while there is one. @throws config: the token, or it cannot listen there */
export async function openPage(
  { web, webHost }: WebFlags,
  { io, log }: Context,
  watchOf: (id: string) => Watch | undefined,
): Promise<RulesPage> {
  if (!web) return { set: () => {}, hear: () => {}, close: async () => {} };
  const [{ Board }, { serveWeb }, { look }, { findSecret }, { withKnownPair }] = await Promise.all([
    import('../../web/board.js'),
    import('../../web/server.js'),
    import('../render/page/look.js'),
    import('../../inbound/secret.js'),
    import('../../open/rule-status.js'),
  ]);
  const board = new Board();
  const pairOf = (pair: Pair): BoardPair => {
    const { id, rule, job, fingerprint } = pair;
    return {
      ...{ id, rule: rule.name, source: job.source, destination: job.destination, mode: job.mode },
      ...{ rpoMs: rule.rpoMs, fingerprint },
      read: async (see) => {
        const manifest = watchOf(id)?.pair?.manifest;
        if (manifest) return see(manifest, holderOf(manifest.path));
        return withKnownPair(pair, io.env, (known) => see(known.manifest, known.atWork));
      },
      retry: () => {
        const watch = watchOf(id);
        return watch?.pair && ((batches, hear) => watch.retry(batches, hear));
      },
    };
  };
  const token = findSecret(io.env, TOKEN);
  const warn = (message: string): void => log.report({ type: 'notice', level: 'warn', message });
  const served = await serveWeb(web, { board, look, token, hosts: webHost, warn });
  const isOpen = /^(127\.|::1$|localhost$)/.test(web.host)
    ? ''
    : ' in plain HTTP, open to the network; use a TLS proxy';
  const access = token === undefined ? ` (read-only: ${TOKEN} is not set)` : '';
  log.say('notice', `page at ${served.url}/${access}${isOpen}`);
  return {
    set: (pairs) => board.set(pairs.map(pairOf)),
    hear: (id, event) => board.hear(id, event),
    close: () => served.close(),
  };
}
