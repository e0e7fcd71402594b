/**
 * Connections that belong to no store: webhooks and queues. They use the variables and flags of proxies and certificates.
 * Tests: test/e2e/connection.test.ts
 */
import type { Agents } from '../store/http/agents.js';
import type { ConnectionFlags } from '../store/http/settings.js';

/** What `fetch` takes as its dispatcher. */
type FetchDispatcher = NonNullable<RequestInit['dispatcher']>;

/** @throws config: for a file or a variable that cannot be used */
export async function outgoingDispatcher(flags: ConnectionFlags, env: NodeJS.ProcessEnv): Promise<FetchDispatcher> {
  const [{ openConnection }, { dispatcherOf }] = await Promise.all([
    import('../store/http/connection.js'),
    import('../store/http/dispatcher.js'),
  ]);
  // Node's types are those of another version of undici, which takes the same dispatchers.
  return dispatcherOf(await openConnection({}, flags, env)) as unknown as FetchDispatcher;
}

/** For queues of AWS, which also trust AWS_CA_BUNDLE. @throws config: as above */
export async function outgoingAgents(flags: ConnectionFlags, env: NodeJS.ProcessEnv): Promise<Agents> {
  const [{ openConnection }, { agentsOf }] = await Promise.all([
    import('../store/http/connection.js'),
    import('../store/http/agents.js'),
  ]);
  return agentsOf(await openConnection({ ca_bundle: env.AWS_CA_BUNDLE?.trim() || undefined }, flags, env));
}
