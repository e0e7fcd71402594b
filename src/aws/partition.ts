/**
 * AWS's partitions (global, China, GovCloud, …) from the SDK's own endpoint data.
 * Tests: test/store/s3/address.test.ts
 */
import { createRequire } from 'node:module';
import type * as endpoints from '@aws-sdk/util-endpoints';

/** Loaded on first use: stores that are not AWS need none of it. */
const load = createRequire(import.meta.url);

export interface Partition {
  /** `aws`, `aws-cn`, `aws-us-gov`, … */
  name: string;
  /** `amazonaws.com`, `amazonaws.com.cn`, … */
  dnsSuffix: string;
  /** That of most services' dual-stack endpoints; not of S3's. */
  dualStackDnsSuffix: string;
  supportsFIPS: boolean;
}

/** The partition that a region belongs to; `aws` for names that no partition claims. */
export function partitionOf(region: string): Partition {
  const { partition }: typeof endpoints = load('@aws-sdk/util-endpoints');
  const { name, dnsSuffix, dualStackDnsSuffix, supportsFIPS } = partition(region);
  // As in the SDK's rules for S3: the data claim it for China, where no such endpoints exist.
  return { name, dnsSuffix, dualStackDnsSuffix, supportsFIPS: supportsFIPS && name !== 'aws-cn' };
}
