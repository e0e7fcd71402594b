/**
 * A rule of S3's replication configuration, in both versions of its schema.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationRule.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
 * Tests: test/rules/import.test.ts
 */
import type { Draft, ImportedRule } from './draft.js';
import { type ImportNote, isOn, Notes, unknownKeys } from './notes.js';
import { type Chosen, chosenByTags } from './tags.js';
import { listAt, type Tree, textAt, treeAt } from './tree.js';

type Imported = Omit<ImportedRule, 'name'>;

const KEYS = [
  ...['ID', 'Priority', 'Prefix', 'Filter', 'Status', 'Destination', 'SourceSelectionCriteria'],
  ...['ExistingObjectReplication', 'DeleteMarkerReplication'],
];

export function s3Rule(rule: Tree, draft: Draft): Imported {
  const notes = new Notes();
  const destination = treeAt(rule, 'Destination') ?? {};
  const selection = selectionOf(rule, notes);
  const settings = {
    ...draft.places(bucketOf(destination, notes), selection.prefixes),
    ...modeOf(rule, notes),
    ...historyOf(rule, notes),
    ...enabledOf(rule, notes),
    ...selection.tagged,
    ...priorityOf(rule, notes),
    ...attributesOf(destination, notes),
    ...rpoOf(destination, notes),
  };
  criteriaOf(treeAt(rule, 'SourceSelectionCriteria') ?? {}, notes);
  notes.add('versions', 'default', 'S3 replicates every version as it is written; the rule copies the current objects');
  unknownKeys(rule, KEYS, notes);
  return { settings, notes: notes.list };
}

function bucketOf(destination: Tree, notes: Notes): string {
  const arn = textAt(destination, 'Bucket') ?? '';
  const bucket = arn.replace(/^arn:[^:]*:s3:[^:]*:[^:]*:/, '');
  notes.add('Destination.Bucket', 'maps', `destination: ${bucket}`);
  const account = textAt(destination, 'Account');
  if (account) notes.add('Destination.Account', 'left out', "the credentials of the destination's remote decide");
  return bucket;
}

function selectionOf(rule: Tree, notes: Notes): { prefixes: string[]; tagged: Chosen } {
  const filter = treeAt(rule, 'Filter') ?? {};
  const and = treeAt(filter, 'And') ?? {};
  const places: [string, Tree][] = [
    ['Prefix', rule],
    ['Filter.Prefix', filter],
    ['Filter.And.Prefix', and],
  ];
  const prefixes = places.flatMap(([at, tree]) => {
    const prefix = textAt(tree, 'Prefix');
    if (!prefix) return [];
    notes.add(at, 'maps', prefix.endsWith('/') ? 'a folder of source and destination' : `prefixes: ${prefix}`);
    return [prefix];
  });
  if (prefixes.length === 0) notes.add('Filter', 'maps', 'all objects of the bucket');
  const tags = [...listAt(filter, 'Tag'), ...listAt(and, 'Tags'), ...listAt(and, 'Tag')];
  const at = listAt(filter, 'Tag').length > 0 ? 'Filter.Tag' : 'Filter.And.Tags';
  return { prefixes, tagged: chosenByTags(tags, at, notes) };
}

/** In version 1 of the schema, without Filter, S3 replicates delete markers that users have made. */
function modeOf(rule: Tree, notes: Notes): { mode: 'copy' | 'sync' } {
  const given = treeAt(rule, 'DeleteMarkerReplication');
  const isFirst = rule.Filter === undefined;
  const deletes = given ? isOn(given) : isFirst;
  const said = deletes
    ? 'mode: sync, which deletes at the destination what is gone from the source (a delete marker in a bucket with versions)'
    : 'mode: copy, which deletes nothing';
  const by = isFirst ? 'S3 replicates delete markers in rules without Filter' : 'S3 replicates no delete markers';
  if (given) notes.add('DeleteMarkerReplication', 'maps', said);
  else notes.add('DeleteMarkerReplication', 'default', `${by}: ${said}`);
  return { mode: deletes ? 'sync' : 'copy' };
}

function historyOf(rule: Tree, notes: Notes): { historical?: false } {
  const given = treeAt(rule, 'ExistingObjectReplication');
  const on = given !== undefined && isOn(given);
  if (given) notes.add('ExistingObjectReplication', 'maps', `historical: ${on}`);
  else {
    const text = 'S3 leaves out objects from before the rule (history off): historical: false';
    notes.add('ExistingObjectReplication', 'default', text);
  }
  return on ? {} : { historical: false };
}

function enabledOf(rule: Tree, notes: Notes): { enabled?: false } {
  const status = textAt(rule, 'Status') ?? 'Enabled';
  notes.add('Status', 'maps', `enabled: ${status === 'Enabled'}`);
  return status === 'Enabled' ? {} : { enabled: false };
}

function priorityOf(rule: Tree, notes: Notes): { priority?: number } {
  const priority = Number(textAt(rule, 'Priority') ?? 0);
  if (!Number.isSafeInteger(priority) || priority === 0) return {};
  notes.add('Priority', 'partly', `priority: ${priority}, the order in which rules run; overlapping rules all copy`);
  return { priority };
}

function attributesOf(destination: Tree, notes: Notes): Record<string, unknown> {
  const storageClass = textAt(destination, 'StorageClass');
  if (storageClass) notes.add('Destination.StorageClass', 'maps', `storageClass: ${storageClass}`);
  else notes.add('Destination.StorageClass', 'default', "S3 keeps the source's class: storageClass: keep");
  const key = textAt(treeAt(destination, 'EncryptionConfiguration') ?? {}, 'ReplicaKmsKeyID');
  if (key) notes.add('Destination.EncryptionConfiguration', 'maps', `sse: kms:${key}`);
  if (treeAt(destination, 'AccessControlTranslation')) {
    const text = 'copies belong to the account that writes them, as with Owner: Destination; no ACLs are copied';
    notes.add('Destination.AccessControlTranslation', 'maps', text);
  } else notes.add('ACL', 'default', 'S3 copies ACLs; write "acl: true" where buckets still use them');
  notes.add('tags', 'default', 'S3 copies tags: tags: true');
  return { storageClass: storageClass ?? 'keep', ...(key && { sse: `kms:${key}` }), tags: true };
}

function rpoOf(destination: Tree, notes: Notes): { rpo?: string } {
  const time = treeAt(destination, 'ReplicationTime');
  const metrics = treeAt(destination, 'Metrics');
  const minutes = time && isOn(time) ? minutesOf(time, 'Time') : metrics && minutesOf(metrics, 'EventThreshold');
  const rpo = minutes === undefined ? {} : { rpo: `${minutes}m` };
  if (time) {
    const text = minutes === undefined ? 'it is disabled' : `rpo: ${minutes}m, which is watched, not promised`;
    notes.add('Destination.ReplicationTime', minutes === undefined ? 'left out' : 'partly', text);
  }
  if (metrics) notes.add('Destination.Metrics', 'maps', '"xsync serve --metrics-addr" has metrics of every rule');
  return rpo;
}

function minutesOf(tree: Tree, name: string): number | undefined {
  const minutes = Number(textAt(treeAt(tree, name) ?? {}, 'Minutes'));
  return Number.isSafeInteger(minutes) && minutes > 0 ? minutes : undefined;
}

function criteriaOf(criteria: Tree, notes: Notes): void {
  const kms = treeAt(criteria, 'SseKmsEncryptedObjects');
  const verdict: ImportNote['verdict'] = kms ? (isOn(kms) ? 'maps' : 'left out') : 'default';
  const copies = 'xsync copies every object that its credentials can read';
  const text = verdict === 'maps' ? copies : `S3 leaves out objects that are encrypted with KMS keys; ${copies}`;
  notes.add('SourceSelectionCriteria.SseKmsEncryptedObjects', verdict, text);
  const replicas = treeAt(criteria, 'ReplicaModifications');
  if (replicas && isOn(replicas)) {
    const text = 'changes at the destination are not copied back; "mode: mirror" does that';
    notes.add('SourceSelectionCriteria.ReplicaModifications', 'left out', text);
  }
}
