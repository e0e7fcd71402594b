/**
 * A rule of OSS's replication configuration.
 * https://www.alibabacloud.com/help/en/oss/developer-reference/getbucketreplication and
 * https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketreplication
 * Tests: test/rules/import.test.ts
 */
import { isRecord } from '../values.js';
import type { Draft, ImportedRule } from './draft.js';
import { isOn, Notes, unknownKeys } from './notes.js';
import { type Chosen, chosenByTags } from './tags.js';
import { listAt, type Tree, textAt, treeAt } from './tree.js';

type Imported = Omit<ImportedRule, 'name'>;

const KEYS = [
  ...['ID', 'PrefixSet', 'Action', 'Destination', 'Status', 'HistoricalObjectReplication', 'SyncRole', 'RTC'],
  ...['SourceSelectionCriteria', 'EncryptionConfiguration', 'UserTaggings'],
];

export function ossRule(rule: Tree, draft: Draft): Imported {
  const notes = new Notes();
  const prefixes = prefixesOf(rule, notes);
  const tagged = taggedOf(rule, notes);
  const settings = {
    ...draft.places(bucketOf(treeAt(rule, 'Destination') ?? {}, notes), prefixes),
    ...modeOf(rule, notes),
    ...historyOf(rule, notes),
    ...enabledOf(rule, notes),
    ...tagged,
    ...attributesOf(rule, notes),
    ...rpoOf(rule, notes),
  };
  unknownKeys(rule, KEYS, notes);
  return { settings, notes: notes.list };
}

function prefixesOf(rule: Tree, notes: Notes): string[] {
  const set = treeAt(rule, 'PrefixSet');
  const prefixes = set ? listAt(set, 'Prefix').map(String) : [];
  const [only = ''] = prefixes;
  if (prefixes.length === 0) notes.add('PrefixSet', 'maps', 'all objects of the bucket');
  else {
    const isFolder = prefixes.length === 1 && only.endsWith('/');
    notes.add(
      'PrefixSet',
      'maps',
      isFolder ? 'a folder of source and destination' : `prefixes: ${prefixes.join(', ')}`,
    );
  }
  return prefixes;
}

function bucketOf(destination: Tree, notes: Notes): string {
  const bucket = textAt(destination, 'Bucket') ?? '';
  notes.add('Destination.Bucket', 'maps', `destination: ${bucket}`);
  const location = textAt(destination, 'Location');
  if (location) {
    const region = location.replace(/^oss-/, '');
    notes.add('Destination.Location', 'partly', `the destination's remote must have the region ${region}`);
  }
  if (textAt(destination, 'TransferType') === 'oss_acc') {
    notes.add('Destination.TransferType', 'partly', 'set "accelerate: on" or "auto" for the remote');
  }
  return bucket;
}

function modeOf(rule: Tree, notes: Notes): { mode: 'copy' | 'sync' } {
  const action = textAt(rule, 'Action');
  const deletes = action === undefined || /\b(?:ALL|DELETE)\b/.test(action);
  const text = deletes
    ? 'mode: sync, which deletes at the destination what is gone from the source'
    : 'mode: copy, which deletes nothing';
  if (action === undefined) notes.add('Action', 'default', `OSS replicates deletes, too (ALL): ${text}`);
  else notes.add('Action', 'maps', text);
  return { mode: deletes ? 'sync' : 'copy' };
}

function historyOf(rule: Tree, notes: Notes): { historical?: false } {
  const given = textAt(rule, 'HistoricalObjectReplication');
  const on = given === undefined || given.toLowerCase() === 'enabled';
  if (given === undefined) {
    const text = 'OSS copies objects from before the rule, too (history on): historical: true';
    notes.add('HistoricalObjectReplication', 'default', text);
  } else notes.add('HistoricalObjectReplication', 'maps', `historical: ${on}`);
  return on ? {} : { historical: false };
}

/** `starting` and `doing` are at work; `closing` is being removed. */
function enabledOf(rule: Tree, notes: Notes): { enabled?: false } {
  const status = textAt(rule, 'Status')?.toLowerCase();
  const on = status !== 'closing' && status !== 'disabled';
  if (status !== undefined) notes.add('Status', 'maps', `enabled: ${on}`);
  return on ? {} : { enabled: false };
}

/** OSS does not document what several tags of a rule mean. */
function taggedOf(rule: Tree, notes: Notes): Chosen {
  const tags = listAt(rule, 'UserTaggings').flatMap((set) => (isRecord(set) ? ofSet(set) : [set]));
  const several = 'an object must have all of them; for any of them, write each as an entry of its own';
  return chosenByTags(tags, 'UserTaggings', notes, tags.length > 1 ? several : undefined);
}

function ofSet(set: Tree): unknown[] {
  return 'UserTagging' in set ? listAt(set, 'UserTagging') : [set];
}

function attributesOf(rule: Tree, notes: Notes): Record<string, unknown> {
  const key = textAt(treeAt(rule, 'EncryptionConfiguration') ?? {}, 'ReplicaKmsKeyID');
  if (key) notes.add('EncryptionConfiguration', 'maps', `sse: kms:${key}`);
  if (textAt(rule, 'SyncRole')) notes.add('SyncRole', 'left out', 'the credentials of both remotes decide');
  const kms = treeAt(treeAt(rule, 'SourceSelectionCriteria') ?? {}, 'SseKmsEncryptedObjects');
  if (kms) {
    const on = isOn(kms);
    const text = 'xsync copies every object that its credentials can read';
    notes.add('SourceSelectionCriteria.SseKmsEncryptedObjects', on ? 'maps' : 'left out', text);
  }
  notes.add('storage class, tags', 'default', "OSS keeps the source's: storageClass: keep, tags: true");
  return { storageClass: 'keep', ...(key && { sse: `kms:${key}` }), tags: true };
}

function rpoOf(rule: Tree, notes: Notes): { rpo?: string } {
  const rtc = treeAt(rule, 'RTC');
  if (!rtc) return {};
  const on = /^enabl/i.test(textAt(rtc, 'Status') ?? '');
  notes.add('RTC', on ? 'partly' : 'left out', on ? 'rpo: 10m, which is watched, not promised' : 'it is disabled');
  return on ? { rpo: '10m' } : {};
}
