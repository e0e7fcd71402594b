/** `prices:` of a remote: what its service charges. Only shown, never acted on. */
import { z } from 'zod';
import type { Prices } from '../../model/prices.js';

const price = z.number().nonnegative();
const per1000 = (what: string) => price.optional().describe(`Of 1,000 requests that ${what}`);

export const pricesSchema = z
  .strictObject({
    currency: z.string().min(1).optional().describe('USD when absent'),
    list: per1000('list'),
    get: per1000('read or ask, HEADs too'),
    put: per1000('write: PUTs, copies, parts, the start and the end of an upload'),
    delete: per1000('delete'),
    egress: price.optional().describe('Of a GB (2^30 bytes) that leaves the service'),
    accelerated: price.optional().describe('Of a GB through transfer acceleration, beside what it costs anyway'),
  })
  .optional()
  .describe('What the service charges, for the costs that xsync shows') satisfies z.ZodType<Prices | undefined>;
