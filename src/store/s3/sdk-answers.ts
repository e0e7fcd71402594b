/** Reads the SDK's outputs; listings are read from the raw response. Tests: test/store/s3-sdk/contract.test.ts */
import type { DeleteObjectsCommandOutput } from '@aws-sdk/client-s3';
import { bareEtag } from '../../model/etag.js';
import type { DeleteFailure } from '../port.js';
import type { Written } from './calls.js';
import { withChecksums } from './copying.js';
import { itemError } from './errors.js';
import type { SdkAnswer } from './sdk-call.js';

export function readDeleteFailures({ Errors = [] }: DeleteObjectsCommandOutput): DeleteFailure[] {
  return Errors.filter(({ Code }) => Code !== 'NoSuchKey').map(({ Key = '', Code, Message }) => ({
    key: Key,
    error: itemError(Key, Code, Message),
  }));
}

interface Described {
  ETag?: string;
  LastModified?: Date;
  ChecksumCRC64NVME?: string;
  ChecksumType?: string;
}

/** The result of a copy or a completed upload, which is in the XML. */
export function readDescribed(described: Described | undefined, { headers }: SdkAnswer): Written {
  const { ETag, LastModified, ...checksums } = described ?? {};
  const etag = ETag ? bareEtag(ETag) : undefined;
  return { etag, headers: withChecksums(headers, checksums), mtimeMs: msOf(LastModified) };
}

function msOf(value: Date | undefined): number | undefined {
  const ms = value?.getTime();
  return ms === undefined || Number.isNaN(ms) ? undefined : ms;
}
