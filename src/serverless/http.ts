/**
 * HTTP requests as clouds hand them to a function, and its response as they take it.
 * - API Gateway, payload formats 1.0 and 2.0:
 *   https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 * - Function URL: format 2.0, https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
 * - HTTP trigger of Function Compute 3:
 *   https://www.alibabacloud.com/help/en/functioncompute/user-guide/http-trigger-invoking-function
 * Tests: test/serverless/http.test.ts
 */
import * as z from 'zod';
import type { Answer, Asked, Door } from '../bridge/door.js';
import { MOST_BYTES } from '../bridge/ticket.js';
import { HttpError } from '../inbound/error.js';

const common = {
  headers: z.record(z.string(), z.string().nullish()).nullish(),
  body: z.string().nullish(),
  isBase64Encoded: z.boolean().nullish(),
};

/** Format 1.0. */
const first = z.object({
  ...common,
  httpMethod: z.string(),
  path: z.string(),
  requestContext: z.object({ identity: z.object({ sourceIp: z.string().nullish() }).nullish() }).nullish(),
});

/** Format 2.0, and that of Function Compute. */
const second = z.object({
  ...common,
  rawPath: z.string(),
  requestContext: z.object({ http: z.object({ method: z.string(), sourceIp: z.string().nullish() }) }),
});

type Given = z.output<typeof first> | z.output<typeof second>;

/** The same in all formats. */
export interface HttpResult {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
  isBase64Encoded: false;
}

/** @throws HttpError: the event is no request, or its body is too long or no text */
export function requestOf(event: unknown): Asked {
  const { success, data } = z.union([first, second]).safeParse(event);
  if (!success) throw new HttpError(400, 'the event is not an HTTP request');
  const { headers } = data;
  const authorization = Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
  return { ...lineOf(data), body: bodyOf(data), ...(authorization != null && { authorization }) };
}

/** What a door says to a request. @throws what is no fault of the caller */
export async function answerOf(door: Pick<Door, 'answer' | 'refusal'>, event: unknown): Promise<HttpResult> {
  try {
    return resultOf(await door.answer(requestOf(event)));
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    return resultOf(door.refusal(error, undefined));
  }
}

export function resultOf({ status, headers, body }: Answer): HttpResult {
  return { statusCode: status, headers, body, isBase64Encoded: false };
}

/** A stage or a mapped path may stand before what was signed. */
function lineOf(given: Given): Pick<Asked, 'method' | 'path' | 'from'> {
  const isFirst = 'httpMethod' in given;
  const path = isFirst ? given.path : given.rawPath;
  const method = isFirst ? given.httpMethod : given.requestContext.http.method;
  const from = isFirst ? given.requestContext?.identity?.sourceIp : given.requestContext.http.sourceIp;
  return { method, path: /\/v1\/[^/]*$/.exec(path)?.[0] ?? path, ...(from != null && { from }) };
}

/** @throws HttpError */
function bodyOf({ body, isBase64Encoded }: Given): string {
  const bytes = Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.byteLength > MOST_BYTES) throw new HttpError(413, `the body is longer than ${MOST_BYTES} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new HttpError(400, 'the body is not UTF-8');
  }
}
