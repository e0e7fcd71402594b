/** Both ends of a queue: how a pair is given to it, and how a worker opens that pair. Tests: test/e2e/queue.redis.ts */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ConnectOptions } from '../cluster/connect.js';
import type { RedisFleet } from '../cluster/fleet.js';
import type { FarSides } from '../cluster/job-run.js';
import type { Terms } from '../cluster/messages.js';
import { loadConfig } from '../config/load.js';
import { parseLocation } from '../config/location.js';
import { OWNER, readFact, writeFact } from '../engine/record/facts.js';
import { pairId } from '../manifest/pair.js';
import { parseEncryption } from '../model/encryption.js';
import { reasonOf } from '../model/errno.js';
import { XsyncError } from '../model/error.js';
import { followed } from './links.js';
import type { OpenPair, OpenSettings, OpenSide } from './settings.js';
import { Opener } from './sides.js';
import { stateOf } from './state.js';

/**
 * The pair, with the machines that perform its tickets. Closes it if they cannot be reached.
 * @throws usage, unreachable, bad-credentials, config, locked
 */
export async function withFleet(pair: OpenPair, settings: OpenSettings): Promise<OpenPair> {
  const { queue } = settings;
  if (queue === undefined) return pair;
  const { source, dest } = pair;
  if (!source.again || !dest.again) {
    const note = '--queue has no effect: what this source is made of must not leave this process';
    return { ...pair, source: { ...source, notes: [...source.notes, note] } };
  }
  try {
    const { RedisFleet } = await import('../cluster/fleet.js');
    const trouble = (message: string | undefined): void => {
      if (message !== undefined) source.findings?.add(message);
    };
    const terms = termsOf(pair, settings);
    const fleet = await RedisFleet.open(queue, terms, ownerOf(pair), connecting(settings, trouble));
    return { ...pair, fleet, close: () => closeBoth(fleet, pair) };
  } catch (error) {
    await pair.close();
    throw error;
  }
}

/** ID of the pair's manifest. */
function ownerOf({ manifest }: OpenPair): string {
  const known = readFact(manifest, OWNER);
  if (known !== undefined) return known;
  const id = randomUUID();
  writeFact(manifest, OWNER, id);
  return id;
}

async function closeBoth(fleet: RedisFleet, pair: OpenPair): Promise<void> {
  try {
    await fleet.close();
  } finally {
    await pair.close();
  }
}

/** How Redis is reached. @throws usage: a certificate that cannot be read */
export function connecting(
  { caCert = [], checkCertificate = true }: Pick<OpenSettings, 'caCert' | 'checkCertificate'>,
  trouble: ConnectOptions['trouble'],
): ConnectOptions {
  return { ca: caCert.length === 0 ? undefined : caCert.map(readCertificate), checkCertificate, trouble };
}

function readCertificate(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new XsyncError('usage', `${file} cannot be read: ${reasonOf(error)}`, { subject: file, cause: error });
  }
}

/** What the workers must know; nothing that the config says of a remote. */
function termsOf(pair: OpenPair, settings: OpenSettings): Terms {
  const { source, dest } = pair;
  const { sse, localEncoding, localXattrs, localPermissions, copyLinks, tpslimit } = settings;
  return {
    pair: pairId(stateOf(pair, settings).pair),
    source: textOf(source),
    dest: textOf(dest),
    ...(sse !== undefined && { sse }),
    ...(localEncoding !== undefined && { localEncoding }),
    ...(localXattrs && { localXattrs }),
    ...(localPermissions !== undefined && { localPermissions }),
    ...(copyLinks && { copyLinks }),
    ...(source.follows && { follows: source.follows }),
    ...(tpslimit !== undefined && { tpslimit }),
  };
}

/** The bucket is enough: tickets have whole keys. */
function textOf({ store, bucket, text, again }: OpenSide): string {
  if (store.capabilities.local) return bucket;
  const start = again?.text.includes('://') ? `${again.name}://` : `${again?.name}:`;
  return again === undefined ? text : `${start}${bucket}`;
}

/** Opens what the terms of a job name, by the config of this machine. @throws usage, config */
export async function openFarSides(terms: Terms, settings: OpenSettings): Promise<FarSides> {
  const { sse, localEncoding, localXattrs, localPermissions, copyLinks, follows } = terms;
  const config = await loadConfig({ file: settings.config, env: settings.env });
  const own: OpenSettings = {
    ...settings,
    ...{
      encryption: sse === undefined ? undefined : parseEncryption(sse),
      localEncoding,
      localXattrs,
      localPermissions,
    },
    ...(copyLinks && { copyLinks, links: 'follow' }),
  };
  const opener = new Opener(own, config);
  const source = followed(await opener.again(parseLocation(terms.source, config)), follows);
  try {
    const dest = await opener.again(parseLocation(terms.dest, config), { written: true });
    const close = async (): Promise<void> => {
      await Promise.all([source.close(), dest.close()]);
    };
    return { source, dest, close };
  } catch (error) {
    await source.close();
    throw error;
  }
}
