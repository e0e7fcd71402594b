import type { Readable } from 'node:stream';
import { addressOf, parseListenUrl } from '../inbound/address.js';
import { XsyncError } from '../model/error.js';
import { Endpoint, type EndpointAddress } from './endpoint.js';
import type { Feed } from './feed.js';
import { Lines } from './lines.js';
import { secretFrom } from './secret.js';
import { SqsFeed } from './sqs.js';
import { queueOf } from './sqs-address.js';

export { type CoalesceOptions, coalesce } from './coalesce.js';
export type { ChangeBatch, ChangeEvent, Feed, FeedCounts } from './feed.js';
export { compareSequencers, EventOrder } from './order.js';

export interface FeedSurroundings {
  env: Readonly<Record<string, string | undefined>>;
  stdin: Readable;
}

const FORMS =
  'give http://127.0.0.1:8089/path or :8089/path to take events by HTTP, sqs://region/account/queue or the URL of ' +
  'an SQS queue to read them there, or - to read them from standard input';

/**
 * The feed that the text names. Nothing listens, connects or reads before it is started.
 * @throws usage for a text of another form, and for an HTTP endpoint without a secret; config for a secret that does
 *   not do
 */
export function openFeed(text: string, { env, stdin }: FeedSurroundings): Feed {
  if (text === '-') return new Lines(stdin);
  const queue = queueOf(text, env);
  if (queue !== undefined) return new SqsFeed(queue);
  return new Endpoint(endpointOf(text), secretFrom(env));
}

function endpointOf(text: string): EndpointAddress {
  const url = parseListenUrl(text);
  if (!url) throw refuse(text, FORMS);
  if (url.username || url.password || url.search || url.hash) {
    // Not quoted: it may be the secret.
    const remedy = 'leave the URL at host, port and path; the secret comes from XSYNC_EVENTS_SECRET';
    throw new XsyncError('usage', 'the address for events has a user, a password, a query or a fragment', { remedy });
  }
  if (url.protocol === 'https:') {
    throw refuse(text, 'xsync speaks plain HTTP: listen on 127.0.0.1 and put TLS before it');
  }
  return { ...addressOf(url), path: url.pathname };
}

function refuse(text: string, remedy: string): XsyncError {
  return new XsyncError('usage', `"${text}" is no source of events`, { subject: text, remedy });
}
