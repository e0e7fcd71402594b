/** Tests: test/e2e/check.test.ts */
import { type CheckEvent, CheckFold } from '../../engine/check/findings.js';
import type { OpenPair } from '../../open.js';
import type { Context } from '../context.js';
import { checkedLine, checkStatus } from '../render/check.js';
import { colours } from '../render/colour.js';
import type { LogLevel } from '../render/levels.js';
import { CheckLists, type ReportLists } from './check-lists.js';

/** Reports a running check: the log, the lists of keys, and status lines. */
export class CheckShow {
  readonly #context: Context;
  readonly #flags: ReportLists & { stats?: number };
  readonly #sizeIsEnough: boolean;
  #lists: CheckLists | undefined;
  #fold: CheckFold | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(context: Context, flags: ReportLists & { stats?: number }, sizeIsEnough: boolean) {
    this.#context = context;
    this.#flags = flags;
    this.#sizeIsEnough = sizeIsEnough;
  }

  /** @throws not-writable when a list cannot be created */
  open(pair: OpenPair): () => void {
    const { log, out } = this.#context;
    const { source, dest, manifest } = pair;
    this.#lists = new CheckLists(this.#flags, out);
    const fold = new CheckFold(pair, this.#sizeIsEnough);
    this.#fold = fold;
    const { stats = 0 } = this.#flags;
    const status = (): void => {
      const now = fold.summary();
      log.tell('notice', { type: 'stats', ...now }, () => [checkStatus(now)]);
    };
    this.#timer = stats > 0 ? setInterval(status, stats).unref() : undefined;
    const known = manifest.path === ':memory:' ? undefined : manifest.path;
    const start = { source: source.text, destination: dest.text, manifest: known };
    log.tell('info', { type: 'start', ...start }, () => []);
    return () => clearInterval(this.#timer);
  }

  /** The caller must await the promise, if any. @throws disk-full, not-writable; OutputClosed */
  hear(event: CheckEvent): Promise<void> | undefined {
    const { log, io } = this.#context;
    this.#fold?.hear(event);
    const lists = this.#lists;
    if (event.type !== 'checked') log.report(event);
    else {
      const lines = (): string[] => [checkedLine(event, colours(io.stderr, io.env))];
      log.tell(levelOf(event, lists?.onStdout === true), event, lines);
    }
    return lists?.add(event);
  }

  /** Call at the end of the check, or after an error. Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    const lists = this.#lists;
    this.#lists = undefined;
    await lists?.close();
  }
}
/** Differences are the result of the command, unless a list on standard output already has them. */
function levelOf({ verdict }: Extract<CheckEvent, { type: 'checked' }>, listed: boolean): LogLevel {
  if (verdict === 'match') return 'debug';
  return listed ? 'info' : 'error';
}
