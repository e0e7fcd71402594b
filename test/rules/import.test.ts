import { describe, expect, test } from 'vitest';
import { importRules } from '../../src/rules/import/import.js';

const FILE = { file: 'F', source: 'east:src' };

function imported(value: unknown, options = FILE) {
  return importRules(typeof value === 'string' ? value : JSON.stringify(value), options);
}

function s3(...rules: object[]) {
  return { ReplicationConfiguration: { Role: 'arn:aws:iam::1:role/r', Rules: rules } };
}

const DST = { Bucket: 'arn:aws:s3:::dst' };
const V2 = {
  ID: 'r',
  Priority: 1,
  Filter: {},
  Status: 'Enabled',
  DeleteMarkerReplication: { Status: 'Disabled' },
  Destination: DST,
};

const verdicts = (notes: { at: string; verdict: string }[]) =>
  Object.fromEntries(notes.map(({ at, verdict }) => [at, verdict]));

describe('S3', () => {
  test('a rule of the second version', () => {
    const { vendor, rules } = imported(
      s3({
        ...V2,
        ID: 'all logs!',
        Filter: { And: { Prefix: 'logs/', Tags: [{ Key: 'a', Value: 'b' }] } },
        ExistingObjectReplication: { Status: 'Enabled' },
        SourceSelectionCriteria: {
          SseKmsEncryptedObjects: { Status: 'Enabled' },
          ReplicaModifications: { Status: 'Enabled' },
        },
        Destination: {
          ...DST,
          ...{ Account: '1', StorageClass: 'STANDARD_IA', AccessControlTranslation: { Owner: 'Destination' } },
          EncryptionConfiguration: { ReplicaKmsKeyID: 'arn:aws:kms:k' },
          ReplicationTime: { Status: 'Enabled', Time: { Minutes: 15 } },
          Metrics: { Status: 'Enabled', EventThreshold: { Minutes: 15 } },
        },
        Surprise: 1,
      }),
    );
    expect(vendor).toBe('S3');
    expect(rules[0]?.name).toBe('all-logs');
    expect(rules[0]?.settings).toEqual({
      ...{ source: 'east:src/logs/', destination: 'east:dst/logs/', mode: 'copy', includeTag: ['a=b'], priority: 1 },
      ...{ storageClass: 'STANDARD_IA', sse: 'kms:arn:aws:kms:k', tags: true, rpo: '15m' },
    });
    expect(verdicts(rules[0]?.notes ?? [])).toMatchObject({
      ...{ 'Filter.And.Prefix': 'maps', 'Filter.And.Tags': 'maps', 'Destination.Account': 'left out' },
      ...{ ExistingObjectReplication: 'maps', 'SourceSelectionCriteria.ReplicaModifications': 'left out' },
      ...{
        'Destination.AccessControlTranslation': 'maps',
        'Destination.ReplicationTime': 'partly',
        Surprise: 'left out',
      },
    });
  });

  test.each([
    ['nothing said', {}, { mode: 'copy', historical: false }],
    ['delete markers', { DeleteMarkerReplication: { Status: 'Enabled' } }, { mode: 'sync' }],
    ['history', { ExistingObjectReplication: { Status: 'Enabled' } }, { mode: 'copy' }],
    ['disabled', { Status: 'Disabled' }, { enabled: false }],
    [
      'a prefix that is no folder',
      { Filter: { Prefix: 'img' } },
      { source: 'east:src', destination: 'east:dst', prefixes: ['img'] },
    ],
    ['a tag', { Filter: { Tag: { Key: 'a', Value: 'b' } } }, { includeTag: ['a=b'] }],
    ['a tag without a value', { Filter: { Tag: { Key: 'a' } } }, { includeTag: ['a='] }],
    [
      'tags, all of which are meant',
      {
        Filter: {
          And: {
            Tags: [
              { Key: 'a', Value: 'b' },
              { Key: 'c', Value: 'd=e' },
            ],
          },
        },
      },
      { includeTag: ['a=b,c=d=e'] },
    ],
    ['a tag that no filter can name', { Filter: { Tag: { Key: 'a=b', Value: 'c' } } }, { enabled: false }],
    ['a tag of a disabled rule', { Status: 'Disabled', Filter: { Tag: { Key: 'a', Value: 'b' } } }, { enabled: false }],
    [
      'the first version, whose delete markers are replicated',
      { Filter: undefined, Prefix: 'a/', DeleteMarkerReplication: undefined },
      { mode: 'sync', source: 'east:src/a/' },
    ],
  ])('%s', (_, change, settings) => {
    const { rules } = imported(s3({ ...V2, ...change }));
    expect(rules[0]?.settings).toMatchObject(settings);
    if (!('ExistingObjectReplication' in change)) expect(rules[0]?.settings.historical).toBe(false);
  });

  test('in XML', () => {
    const xml =
      '<?xml version="1.0"?><ReplicationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Role>r</Role>' +
      '<Rule><ID>x</ID><Status>Enabled</Status><Filter><Prefix>a&amp;b/</Prefix></Filter><DeleteMarkerReplication>' +
      '<Status>Enabled</Status></DeleteMarkerReplication><Destination><Bucket>arn:aws-cn:s3:::dst</Bucket></Destination>' +
      '</Rule></ReplicationConfiguration>';
    const { vendor, rules } = imported(xml);
    expect([vendor, rules[0]?.settings.source, rules[0]?.settings.mode]).toEqual(['S3', 'east:src/a&b/', 'sync']);
  });

  test('rules with one ID, or none, have names of their own', () => {
    const { rules } = imported(s3(V2, V2, { ...V2, ID: undefined }), { file: 'F', source: 's3://src' });
    expect(rules.map(({ name }) => name)).toEqual(['r', 'r-2', 'rule-3']);
    expect(rules[0]?.settings.destination).toBe('s3://dst');
  });
});

const OSS = `<?xml version="1.0" encoding="UTF-8"?>
<ReplicationConfiguration>
  <Rule>
    <ID>r1</ID>
    <PrefixSet><Prefix>image</Prefix><Prefix>video/</Prefix></PrefixSet>
    <Action>PUT</Action>
    <Destination><Bucket>dst</Bucket><Location>oss-cn-beijing</Location><TransferType>oss_acc</TransferType></Destination>
    <Status>doing</Status>
    <HistoricalObjectReplication>disabled</HistoricalObjectReplication>
    <SyncRole>role</SyncRole>
    <SourceSelectionCriteria><SseKmsEncryptedObjects><Status>Enabled</Status></SseKmsEncryptedObjects></SourceSelectionCriteria>
    <EncryptionConfiguration><ReplicaKmsKeyID>key</ReplicaKmsKeyID></EncryptionConfiguration>
    <RTC><Status>enabled</Status></RTC>
  </Rule>
</ReplicationConfiguration>`;

describe('OSS', () => {
  test('a rule in XML', () => {
    const { vendor, rules } = imported(OSS, {
      ...FILE,
      source: 'hangzhou:src',
      destination: 'beijing:',
    } as typeof FILE);
    expect(vendor).toBe('OSS');
    expect(rules[0]?.settings).toEqual({
      ...{ source: 'hangzhou:src', destination: 'beijing:dst', prefixes: ['image', 'video/'], mode: 'copy' },
      ...{ historical: false, storageClass: 'keep', sse: 'kms:key', tags: true, rpo: '10m' },
    });
    expect(verdicts(rules[0]?.notes ?? [])).toMatchObject({
      SyncRole: 'left out',
      RTC: 'partly',
      'Destination.Location': 'partly',
    });
  });

  test('in JSON, with one rule or several, and with what OSS does by default', () => {
    const Rule = { ID: 'r', Destination: { Bucket: 'dst', Location: 'oss-cn-beijing' }, Status: 'doing' };
    const settings = { source: 'east:src', destination: 'east:dst', mode: 'sync', storageClass: 'keep', tags: true };
    expect(imported({ ReplicationConfiguration: { Rule } }).rules[0]?.settings).toEqual(settings);
    expect(
      imported({ Rule: [Rule, { ...Rule, Status: 'closing', PrefixSet: { Prefix: 'a/' } }] }).rules[1]?.settings,
    ).toEqual({
      ...{ ...settings, source: 'east:src/a/', destination: 'east:dst/a/', enabled: false },
    });
    const text = imported({ Rule }).rules[0]?.notes.find(({ at }) => at === 'HistoricalObjectReplication');
    expect(text).toMatchObject({
      verdict: 'default',
      text: 'OSS copies objects from before the rule, too (history on): historical: true',
    });
  });

  test.each([
    ['one tag', { UserTagging: { Key: 'a', Value: 'b' } }, ['a=b'], 'maps'],
    ['one tag without its element', { Key: 'a', Value: 'b' }, ['a=b'], 'maps'],
    [
      'several tags',
      {
        UserTagging: [
          { Key: 'a', Value: 'b' },
          { Key: 'c', Value: 'd' },
        ],
      },
      ['a=b,c=d'],
      'partly',
    ],
  ])('%s', (_, UserTaggings, includeTag, verdict) => {
    const [rule] = imported({ Rule: { ID: 'r', UserTaggings, Destination: { Bucket: 'd' } } }).rules;
    expect(rule?.settings).toMatchObject({ includeTag });
    expect(rule?.settings).not.toHaveProperty('enabled');
    expect(verdicts(rule?.notes ?? [])).toMatchObject({ UserTaggings: verdict });
  });
});

test.each([
  ['', 'it is neither JSON nor XML'],
  ['[]', 'it is neither JSON nor XML'],
  ['<a><b></a></b>', 'its XML is not well-formed'],
  ['<a>', 'its XML is not well-formed'],
  ['<!DOCTYPE x [<!ENTITY y "z">]><a/>', 'its XML has a DOCTYPE or CDATA'],
  [`${'<a>'.repeat(100)}`, 'its XML is not well-formed'],
])('%s is refused', (text, why) => {
  expect(() => imported(text)).toThrow(`F is not a replication configuration: ${why}`);
});

test('a configuration without rules is refused', () => {
  expect(() => imported({ ReplicationConfiguration: {} })).toThrow('F has no replication rules');
});
