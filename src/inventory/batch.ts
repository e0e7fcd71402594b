/**
 * Lists of objects with their versions: the manifest of an S3 Batch Operations job (CSV without a header: bucket, key, and
 * perhaps version, keys encoded as in URLs), its completion report (the same, with task status, error code, HTTP status
 * and message), and lines of a key, a tab and a version, as `aws s3api list-object-versions --output text` prints them.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-create-job.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-examples-reports.html
 * Tests: test/inventory/batch.test.ts
 */
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { XsyncError } from '../model/error.js';
import { csvRecords, decodedKey } from './csv.js';

export interface Listed {
  key: string;
  /** Absent: the current version is meant. */
  versionId?: string;
}

const REPORT_FIELDS = 7;
const BATCH = 1000;

/**
 * @param text names the list in errors
 * @param bucket whether it is a name of the bucket that is read
 * @throws config: a row cannot be understood; usage: a row is of another bucket
 */
export async function* batchRows(
  pieces: AsyncIterable<Uint8Array>,
  text: string,
  bucket: (name: string) => boolean,
): AsyncGenerator<Listed[]> {
  let line = 0;
  for await (const records of csvRecords(pieces, text)) {
    yield records.flatMap((fields) => rowOf(fields, `line ${++line} of ${text}`, bucket) ?? []);
  }
}

function rowOf(fields: readonly string[], place: string, bucket: (name: string) => boolean): Listed | undefined {
  const [name = '', encoded = '', versionId = '', status = ''] = fields;
  const isReport = fields.length === REPORT_FIELDS && /^(succeeded|failed)$/i.test(status);
  if (/^[{[]/.test(name)) throw isJson(place);
  const key = decodedKey(encoded);
  if (!key || !(fields.length === 2 || fields.length === 3 || isReport)) throw unknownRow(place);
  if (!bucket(name)) {
    throw new XsyncError('usage', `${place} names the bucket ${name}, which is not the source`, {
      subject: '--batch-manifest',
      remedy: 'Name the bucket of the list as the source.',
    });
  }
  // A report is read for what has to be done again.
  if (isReport && status.toLowerCase() === 'succeeded') return undefined;
  return versionId === '' ? { key } : { key, versionId };
}

function unknownRow(place: string): XsyncError {
  return new XsyncError('config', `${place} is not a row of bucket, key and version, with the key encoded as in URLs`, {
    subject: '--batch-manifest',
    remedy: 'Give the CSV of an S3 Batch Operations job, or its completion report.',
  });
}

function isJson(place: string): XsyncError {
  return new XsyncError('config', `${place} is JSON, and no list of objects`, {
    subject: '--batch-manifest',
    remedy: 'Give the CSV that it names; of an inventory, give the manifest.json to --source-inventory.',
  });
}

/** Lines that are not empty, verbatim but for a byte order mark. */
export async function* versionLines(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Listed[]> {
  let batch: Listed[] = [];
  let number = 0;
  for await (const text of createInterface({ input: Readable.from(pieces), crlfDelay: Number.POSITIVE_INFINITY })) {
    const line = ++number === 1 ? text.replace(/^\ufeff/, '') : text;
    if (line === '') continue;
    if (batch.length === BATCH) {
      yield batch;
      batch = [];
    }
    batch.push(listedIn(line));
  }
  if (batch.length > 0) yield batch;
}

/** `None` is what the AWS command line prints for no value. */
function listedIn(line: string): Listed {
  const tab = line.lastIndexOf('\t');
  if (tab < 0) return { key: line };
  const versionId = line.slice(tab + 1).trim();
  const key = line.slice(0, tab);
  return versionId === '' || versionId === 'None' ? { key } : { key, versionId };
}
