/**
 * What clouds hand to a function that hears of changes. Each record is read and settled alone, so that one that cannot be
 * read does not hold up the others.
 * - S3: https://docs.aws.amazon.com/lambda/latest/dg/with-s3.html; through EventBridge:
 *   https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
 * - SQS, and `ReportBatchItemFailures`: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 * - SNS: https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
 * - OSS: https://www.alibabacloud.com/help/en/fc/user-guide/overview-of-oss-event-triggers
 * Tests: test/serverless/events.test.ts
 */
import * as z from 'zod';
import { readBody, readEvent } from '../feed/body.js';
import type { Reading } from '../feed/reading.js';

export interface CloudRecord {
  /** ID of an SQS message, to be named if it failed; absent: the event fails as a whole. */
  messageId?: string;
  /** @throws BodyFault */
  read(): Reading;
}

const sqsEvent = z.object({
  Records: z.array(z.object({ eventSource: z.literal('aws:sqs'), messageId: z.string(), body: z.string() })).min(1),
});
const snsEvent = z.object({
  Records: z.array(z.object({ EventSource: z.literal('aws:sns'), Sns: z.object({ Message: z.string() }) })).min(1),
});

/** @param event parsed, or the bytes or text of JSON */
export function recordsOf(event: unknown): CloudRecord[] {
  if (typeof event === 'string' || event instanceof Uint8Array) {
    const text = typeof event === 'string' ? event : Buffer.from(event).toString('utf8');
    return [{ read: () => readBody(text) }];
  }
  const queued = sqsEvent.safeParse(event);
  if (queued.success) {
    return queued.data.Records.map(({ messageId, body }) => ({ messageId, read: () => readBody(body) }));
  }
  const published = snsEvent.safeParse(event);
  if (published.success) return published.data.Records.map(({ Sns }) => ({ read: () => readBody(Sns.Message) }));
  return [{ read: () => readEvent(event) }];
}
