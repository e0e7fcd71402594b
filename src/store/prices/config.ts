/** `prices:` of a remote: what its service charges. Used for display only. Tests: test/store/s3/config.test.ts */
import * as z from 'zod';
import type { Prices } from '../../model/prices.js';

const price = z.number().nonnegative();
const per1000 = (what: string) => price.optional().describe(`Price per 1,000 requests that ${what}`);

export const pricesSchema = z
  .strictObject({
    currency: z.string().min(1).optional().describe('Default USD'),
    list: per1000('list'),
    get: per1000('read an object or its attributes (GET, HEAD)'),
    put: per1000('write: puts, copies, parts, and the start and end of an upload'),
    delete: per1000('delete'),
    egress: price.optional().describe('Price per GB (2^30 bytes) that leaves the service'),
    accelerated: price.optional().describe('Additional price per GB (2^30 bytes) through transfer acceleration'),
  })
  .optional()
  .describe('What the service charges, for the costs that xsync reports') satisfies z.ZodType<Prices | undefined>;
