/**
 * Finds the inventory that a person names, and opens it as a side's list of objects.
 * Tests: test/cli/inventory.test.ts
 */
import { basename, dirname, resolve } from 'node:path';
import type { Inventory } from '../engine/pair.js';
import { readSmall } from '../inventory/bytes.js';
import { columnsOf, inventoryEntries, inventoryVersions, type Reading } from '../inventory/inventory.js';
import { type InventoryFile, parseManifest } from '../inventory/manifest.js';
import { missingColumns, missingForVersions } from '../inventory/rows.js';
import { isXsyncError, XsyncError } from '../model/error.js';
import { PageGuard } from '../model/paging.js';
import type { ObjectStore } from '../store/port.js';
import type { OpenSide } from './settings.js';
import type { OpenAs } from './sides.js';

/** An inventory, with what a person is told of it. */
export interface OpenedInventory {
  inventory: Inventory;
  /** How old it is, and what it lacks. */
  warnings: readonly string[];
  close(): Promise<void>;
}

export type OpenPlace = (text: string, as?: OpenAs) => Promise<OpenSide>;

/** Where a manifest is. */
interface Found {
  store: ObjectStore;
  /** Key of manifest.json. */
  key: string;
  /** For messages: the location of the manifest. */
  text: string;
}

const HOUR_MS = 3_600_000;

/**
 * The services promise no time after which an object is in the inventory ("eventually consistent",
 * docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html): nothing is concluded about younger ones.
 */
const LAG_MS = 24 * HOUR_MS;

const MANIFEST = 'manifest.json';
const DATED = /^\d{4}-\d\d-\d\dT\d\d-\d\dZ\/$/;

/**
 * @param side whose objects it lists
 * @param named `text`: the location of a manifest.json, or of the folder of an inventory, of which the newest is taken
 * `versions`: all of them are needed, not only the current objects.
 * @throws usage: there is none, it is of another bucket, or does not have all versions; what reading it throws
 */
export async function openInventory(
  side: OpenSide,
  { option, text, versions }: { option: string; text: string; versions: boolean },
  open: OpenPlace,
): Promise<OpenedInventory> {
  if (side.store.capabilities.local) {
    throw new XsyncError('usage', `${option}: ${side.text} is on local disk, and inventories are of buckets`, {
      subject: option,
      remedy: `Leave out ${option}: a folder is listed quickly.`,
    });
  }
  const place = await placeOf(text, open);
  try {
    const found = await findManifest(place, text, option);
    const reading = await readingOf(found, side);
    refuseOther(reading, side, option);
    const columns = await columnsOf(reading, new AbortController().signal);
    if (versions && columns) refuseWithoutVersions(reading, columns, option);
    return { ...asInventory(reading, columns, text, side), close: place.close };
  } catch (error) {
    await place.close();
    throw error;
  }
}

/** A folder on disk is opened from the one above it, where the data files of its inventory are. */
async function placeOf(text: string, open: OpenPlace): Promise<OpenSide> {
  const side = await open(text, { readOnly: true });
  if (!side.store.capabilities.local) return side;
  await side.close();
  const { bucket, path } = side;
  const folder = path === '' ? dirname(bucket) : dirname(dirname(resolve(bucket, path)));
  const above = await open(folder.endsWith('/') ? folder : `${folder}/`, { readOnly: true });
  const inside = path === '' ? `${basename(bucket)}/` : `${basename(resolve(bucket, dirname(path)))}/${basename(path)}`;
  return { ...above, path: inside, prefix: inside };
}

async function findManifest({ store, path }: OpenSide, text: string, option: string): Promise<Found> {
  if (path.endsWith('.json')) return { store, key: path, text };
  const folder = path === '' || path.endsWith('/') ? path : `${path}/`;
  const { keys, folders } = await childrenOf(store, folder, text);
  const at = (key: string): Found => ({ store, key, text: `${text.replace(/\/$/, '')}/${key.slice(folder.length)}` });
  if (keys.includes(folder + MANIFEST)) return at(folder + MANIFEST);
  const dated = folders.filter((name) => DATED.test(name.slice(folder.length)));
  for (const date of dated.sort().reverse()) {
    // The newest may not be complete yet: its manifest comes last.
    const inside = await childrenOf(store, date, text);
    if (inside.keys.includes(date + MANIFEST)) return at(date + MANIFEST);
  }
  throw new XsyncError('usage', `${option}: there is no inventory at ${text}`, {
    subject: option,
    remedy: `Name a ${MANIFEST}, or the folder of the inventory, which has a folder for each date.`,
  });
}

async function childrenOf(
  store: ObjectStore,
  prefix: string,
  text: string,
): Promise<{ keys: string[]; folders: string[] }> {
  const keys: string[] = [];
  const folders: string[] = [];
  const guard = new PageGuard(text);
  for (let token: string | undefined; ; ) {
    const page = await store.list({ prefix, delimiter: '/', token });
    keys.push(...page.entries.map(({ key }) => key));
    folders.push(...page.prefixes);
    token = page.nextToken;
    guard.follow({ first: page.entries[0]?.key, last: page.entries.at(-1)?.key, token });
    if (token === undefined) return { keys, folders };
  }
}

async function readingOf({ store, key, text }: Found, side: OpenSide): Promise<Reading> {
  const { signal } = new AbortController();
  const read = async (name: string, what: string): Promise<Uint8Array> => {
    const body = await readSmall({ store, key: name, text: what }, signal);
    if (body) return body;
    throw new XsyncError('object-not-found', `the inventory ${text} has no ${basename(name)}`, {
      subject: text,
      remedy: 'Choose another date: the service writes these files last.',
    });
  };
  const folder = key.slice(0, key.lastIndexOf('/') + 1);
  const manifest = parseManifest(await read(key, text), await read(`${folder}manifest.checksum`, text), text);
  const usualClass = side.store.capabilities.defaultStorageClass;
  return { store, manifest, keyOf: (file) => dataFile(store, folder, file), text, usualClass };
}

/** A copy of an inventory may be in another folder than its manifest says. */
async function dataFile(store: ObjectStore, folder: string, { key }: InventoryFile): Promise<string> {
  const name = key.slice(key.lastIndexOf('/') + 1);
  const above = folder.slice(0, folder.lastIndexOf('/', folder.length - 2) + 1);
  if (!store.capabilities.local) return key;
  for (const candidate of [`${above}data/${name}`, `${folder}data/${name}`, folder + name]) {
    if (await exists(store, candidate)) return candidate;
  }
  return `${above}data/${name}`;
}

async function exists(store: ObjectStore, key: string): Promise<boolean> {
  try {
    await store.head(key);
    return true;
  } catch (error) {
    if (isXsyncError(error, 'object-not-found')) return false;
    throw error;
  }
}

function refuseOther({ manifest, text }: Reading, { bucket, givenAs, text: side }: OpenSide, option: string): void {
  if (manifest.bucket === bucket || manifest.bucket === givenAs) return;
  throw new XsyncError(
    'usage',
    `${option}: the inventory ${text} is of the bucket ${manifest.bucket}, not of ${side}`,
    {
      subject: option,
      remedy: `Name an inventory of ${bucket}.`,
    },
  );
}

/** An inventory of current objects has no columns for versions, and one of all versions always has. */
function refuseWithoutVersions({ text }: Reading, columns: readonly string[], option: string): void {
  const lacks = missingForVersions(columns);
  if (lacks.length === 0) return;
  throw new XsyncError('usage', `${option}: the inventory ${text} has no ${lacks.join(', ')}, which --versions needs`, {
    subject: option,
    remedy: 'Configure the inventory with all versions and with these fields, or leave out --versions.',
  });
}

function asInventory(
  reading: Reading,
  columns: readonly string[] | undefined,
  location: string,
  { text: side }: OpenSide,
): Omit<OpenedInventory, 'close'> {
  const { manifest, text } = reading;
  const lacks = columns ? missingColumns(columns) : [];
  const inventory: Inventory = {
    text: location,
    takenMs: manifest.takenMs,
    completeUntilMs: manifest.takenMs - LAG_MS,
    needsHeads: lacks.length > 0,
    entries: (stop) => inventoryEntries(reading, stop),
    versions: (stop) => inventoryVersions(reading, stop),
  };
  const taken = new Date(manifest.takenMs).toISOString().replace('.000Z', 'Z');
  const age = ageOf(Date.now() - manifest.takenMs);
  const warnings = [
    `${text} was made ${age} ago, at ${taken}; what has changed since is left to a run that lists ${side}`,
  ];
  if (lacks.length > 0) {
    warnings.push(
      `${text} has no ${lacks.join(', ')}, so each object takes a HEAD; add the fields to its configuration`,
    );
  }
  return { inventory, warnings };
}

function ageOf(ms: number): string {
  const hours = Math.max(0, Math.floor(ms / HOUR_MS));
  if (hours >= 48) return `${Math.floor(hours / 24)} days`;
  return hours === 1 ? '1 hour' : `${hours} hours`;
}
