/**
 * Which coordinator has a pair: one at a time, on whatever machine. The lock of the manifest keeps two processes of one
 * machine apart; two machines have two manifests, and each would take up the other's jobs. Tests: test/e2e/queue.redis.ts
 */
import { hostname } from 'node:os';
import { XsyncError } from '../model/error.js';
import type { Client } from './connect.js';
import { keys } from './keys.js';

/** A coordinator that has not been heard for so long has lost the pair, ms. */
const LEASE_MS = 30_000;
const RENEW_MS = 10_000;

/** Sets the key unless another owner has it. The answer is that of the other one. */
const HOLD = `
local held = redis.call('get', KEYS[1])
if held and string.sub(held, 1, #ARGV[1]) ~= ARGV[1] then return held end
redis.call('set', KEYS[1], ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[3])
return false`;

const RELEASE = `
local held = redis.call('get', KEYS[1])
if held and string.sub(held, 1, #ARGV[1]) == ARGV[1] then redis.call('del', KEYS[1]) end
return false`;

export interface Owner {
  pair: string;
  /** ID of the manifest: whoever continues with it is the same owner. */
  id: string;
}

export class Ownership {
  readonly #redis: Client;
  readonly #owner: Owner;
  readonly #timer: NodeJS.Timeout;

  private constructor(redis: Client, owner: Owner, lost: (error: unknown) => void) {
    this.#redis = redis;
    this.#owner = owner;
    this.#timer = setInterval(() => void hold(redis, owner).catch(lost), RENEW_MS).unref();
  }

  /**
   * @param lost the pair has another owner now, since this one was not heard for too long
   * @throws locked: another machine has the pair
   */
  static async take(redis: Client, owner: Owner, lost: (error: unknown) => void): Promise<Ownership> {
    await hold(redis, owner);
    return new Ownership(redis, owner, lost);
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.#redis.eval(RELEASE, 1, keys.owner(this.#owner.pair), this.#owner.id);
  }
}

async function hold(redis: Client, { pair, id }: Owner): Promise<void> {
  const other = await redis.eval(HOLD, 1, keys.owner(pair), id, hostname(), LEASE_MS);
  if (typeof other !== 'string') return;
  const host = other.slice(other.indexOf(' ') + 1);
  throw new XsyncError('locked', `this pair is in use by a run on ${host}, through the same queue`, {
    remedy: `Wait until that run ends, or stop it. If it was killed, the pair is free after ${LEASE_MS / 1000} seconds.`,
  });
}
