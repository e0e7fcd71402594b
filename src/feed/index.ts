/** Tests: test/feed/open.test.ts */
import type { Readable } from 'node:stream';
import { addressOf, parseListenUrl } from '../inbound/address.js';
import { findSecret, howToSet } from '../inbound/secret.js';
import { XsyncError } from '../model/error.js';
import { Endpoint, type EndpointAddress } from './endpoint.js';
import type { Feed } from './feed.js';
import { Lines } from './lines.js';
import { type QueueAgents, SqsFeed } from './sqs.js';
import { queueOf } from './sqs-address.js';

export { type CoalesceOptions, coalesce } from './coalesce.js';
export type { ChangeBatch, ChangeEvent, Feed, FeedCounts } from './feed.js';
export { compareSequencers, EventOrder } from './order.js';

export interface FeedSurroundings {
  env: Readonly<Record<string, string | undefined>>;
  stdin: Readable;
  /** For queues: with proxies and certificates; default: the SDK's own. */
  agents?: () => Promise<QueueAgents>;
}

const FORMS =
  'use http://127.0.0.1:8089/path or :8089/path to receive events by HTTP, sqs://region/account/queue or the URL of ' +
  'an SQS queue to read them from there, or - to read them from standard input';

/**
 * The feed for an `--events` address. It does not listen, connect or read before it is started.
 * @throws usage: the address has an unknown form, or an HTTP endpoint has no secret
 * @throws config: the secret is too short or cannot be read
 */
export function openFeed(text: string, { env, stdin, agents }: FeedSurroundings): Feed {
  if (text === '-') return new Lines(stdin);
  const queue = queueOf(text, env);
  if (queue !== undefined) return new SqsFeed(queue, {}, { env, agents });
  return new Endpoint(endpointOf(text), secretFrom(env));
}

const SECRET = 'XSYNC_EVENTS_SECRET';

function secretFrom(env: FeedSurroundings['env']): string {
  const secret = findSecret(env, SECRET);
  if (secret) return secret;
  throw new XsyncError('usage', 'events over HTTP require a secret', { remedy: howToSet(SECRET) });
}

function endpointOf(text: string): EndpointAddress {
  const url = parseListenUrl(text);
  if (!url) throw refuse(text, FORMS);
  if (url.username || url.password || url.search || url.hash) {
    // Not quoted, because it may contain the secret.
    const remedy = 'use only host, port and path, and set the secret in XSYNC_EVENTS_SECRET';
    throw new XsyncError('usage', 'the events address has a user, a password, a query or a fragment', { remedy });
  }
  if (url.protocol === 'https:') {
    throw refuse(text, 'listen on http://127.0.0.1 behind a TLS proxy, because xsync serves only plain HTTP');
  }
  return { ...addressOf(url), path: url.pathname };
}

function refuse(text: string, remedy: string): XsyncError {
  return new XsyncError('usage', `"${text}" is not an event source`, { subject: text, remedy });
}
