/** Reads the list of an account's buckets, which S3 and OSS write alike. Tests: test/cli/listings.test.ts */
import { timeIn } from './rows.js';
import { readXml } from './xml.js';

export interface ListedBuckets {
  buckets: { name: string; createdMs?: number }[];
  /** S3. */
  token?: string;
  /** OSS. */
  marker?: string;
}

const EMPTY = Buffer.from('<Buckets></Buckets>');

/**
 * S3: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
 * OSS: https://www.alibabacloud.com/help/en/oss/developer-reference/listbuckets
 * @throws invalid-response
 */
export function readBuckets(body: Buffer): ListedBuckets {
  const { fields } = readXml(body, {
    root: 'ListAllMyBucketsResult',
    fields: ['ContinuationToken', 'IsTruncated', 'NextMarker'],
    lists: {},
  });
  const { lists } = readXml(bucketsIn(body), {
    root: 'Buckets',
    fields: [],
    lists: { Bucket: ['Name', 'CreationDate'] },
  });
  return {
    buckets: lists.Bucket.flatMap(({ Name, CreationDate }) =>
      Name === undefined ? [] : [{ name: Name, createdMs: timeIn(CreationDate) }],
    ),
    token: fields.ContinuationToken || undefined,
    marker: fields.IsTruncated === 'true' ? fields.NextMarker : undefined,
  };
}

/** The element that holds the buckets: the reader reads records that are children of its root. */
function bucketsIn(body: Buffer): Buffer {
  const start = body.indexOf('<Buckets>');
  const end = body.indexOf('</Buckets>', start);
  return start < 0 || end < 0 ? EMPTY : body.subarray(start, end + '</Buckets>'.length);
}
