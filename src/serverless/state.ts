import type { Outbox } from '../manifest/queues.js';
import type { PullState } from '../manifest/state.js';
import type { Environment } from './invocation.js';

export async function openOutboxState(_place: string | undefined, _env: Environment): Promise<Outbox> {
  throw new Error('not yet');
}
export async function openPullState(_place: string, _env: Environment): Promise<PullState> {
  throw new Error('not yet');
}
