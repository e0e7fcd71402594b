/** The pulling end as two functions: one takes tickets, one performs them. Tests: test/serverless/pull.test.ts */
import { Book } from '../bridge/pull/book.js';
import { Callbacks, type CallbacksMeans } from '../bridge/pull/callbacks.js';
import { Desk } from '../bridge/pull/desk.js';
import type { PullState } from '../manifest/state.js';
import { XsyncError } from '../model/error.js';
import { type Bare, openBare } from '../open/bare.js';
import { openPullState } from '../open/bridge-state.js';
import { answerOf, type HttpResult } from './http.js';
import type { Environment, Work } from './invocation.js';
import { jobOf } from './job.js';
import { AUDIT, say } from './log.js';
import { type PullSettings, readPullSettings, secretsOf } from './settings.js';
import { refuseShortCalls } from './time.js';
import { graceOf, type WorkResult, wake, workOff } from './work.js';

/** The rest is asked for. */
const TELL_MS = 10_000;
/** In messages; URLs have no bucket. */
const NAME = 'bridge';

/**
 * Takes tickets by HTTP, with the checks of `xsync bridge pull`. Answers 202 once they are safe in the queue.
 * @throws (init) config
 */
export function receiveTickets(env: Environment): Work {
  const settings = readPullSettings(env);
  return (event, invocation) =>
    withPulling(settings, invocation.env, async ({ state, bare }): Promise<HttpResult> => {
      const { XSYNC_ALLOW_HOST: allowHost, XSYNC_ALLOW_PRIVATE: allowPrivate, XSYNC_WORKER: worker } = settings;
      const { XSYNC_ALLOW_CALLBACK: allowCallback } = settings;
      const desk = new Desk({
        ...{ queue: state.queue, secrets: await secretsOf(settings, invocation.env), checkKey: bare.checkKey },
        ...{
          trust: { allowHost, allowPrivate, allowCallback },
          limit: settings.XSYNC_QUEUE_LIMIT,
          deletes: settings.XSYNC_DELETE,
        },
        taken: () => wake(worker, invocation),
        audit: AUDIT,
      });
      return answerOf(desk, event);
    });
}

/**
 * Performs tickets, whatever it is called with: by another function, by a schedule, by a queue or by a workflow.
 * @throws (init) config
 */
export function performTickets(env: Environment): Work {
  const settings = readPullSettings(env);
  const { XSYNC_ATTEMPTS: attempts, XSYNC_MARGIN_SECONDS: marginS, XSYNC_WORKER: worker } = settings;
  return async (_event, invocation) => {
    refuseShortCalls(invocation, marginS);
    return withPulling(settings, invocation.env, async ({ transport, ...pulling }): Promise<WorkResult> => {
      const [secret] = settings.XSYNC_ALLOW_CALLBACK.length === 0 ? [] : await secretsOf(settings, invocation.env);
      const callbacks = new Callbacks({
        ...{ transport, secret: () => secret },
        trouble: (message) => say('warn', message),
      });
      try {
        return await workOff({ ...pulling, attempts, marginS, worker, callbacks }, invocation);
      } finally {
        // The rest of the margin is for what goes on.
        await callbacks.finish(Math.min(TELL_MS, graceOf(marginS) / 3));
      }
    });
  };
}

interface Pulling {
  state: PullState;
  bare: Bare;
  book: Book;
  /** That of the URLs, which leads only to addresses that may be connected to. */
  transport: CallbacksMeans['transport'];
}

async function withPulling<T>(
  settings: PullSettings,
  env: Environment,
  work: (pulling: Pulling) => Promise<T>,
): Promise<T> {
  const { XSYNC_ALLOW_PRIVATE: allowPrivate, XSYNC_MARGIN_SECONDS: marginS } = settings;
  const book = new Book(NAME, { allowPrivate });
  const transports: Pulling['transport'][] = [];
  const state = await openPullState(settings.XSYNC_STATE, env);
  try {
    const bare = await openBare(jobOf(settings, NAME), state, {
      ...{ env, graceMs: graceOf(marginS) },
      openSource: (opener) =>
        opener.given(NAME, book.guard, (made) => {
          transports.push(made);
          return book.store(made);
        }),
    });
    try {
      const [transport] = transports;
      if (!transport) throw new XsyncError('internal', 'the source was opened without a transport');
      return await work({ state, bare, book, transport });
    } finally {
      await bare.close();
    }
  } finally {
    await state.close();
  }
}
