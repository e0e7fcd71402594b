import type { IncomingMessage } from 'node:http';

/** A call that is not taken, as the HTTP answer that says why. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** @throws Refusal (413) */
export function refuseLong(bytes: number, limit: number): void {
  if (bytes > limit) throw new Refusal(413, `the body is longer than ${limit} bytes`);
}

/**
 * The body as text.
 * @throws Refusal (413) as soon as it is longer than `limit` bytes; (400) for what is no UTF-8 and for a body that broke
 *   off.
 */
export async function readWhole(request: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  await new Promise<void>((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      try {
        refuseLong(bytes, limit);
        chunks.push(chunk);
      } catch (error) {
        reject(error);
      }
    });
    request.on('end', resolve);
    request.on('error', () => reject(new Refusal(400, 'the body broke off')));
    request.on('close', () => reject(new Refusal(400, 'the body broke off')));
  });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new Refusal(400, 'the body is not UTF-8');
  }
}
