/** Reads lines of a stream. Tests: test/feed/lines.test.ts */

const NEWLINE = 0x0a;

/** The lines without their newlines; undefined for a line longer than `limit` bytes. */
export async function* linesOf(input: AsyncIterable<unknown>, limit: number): AsyncGenerator<Buffer | undefined> {
  let parts: Buffer[] = [];
  let bytes = 0;
  const add = (part: Buffer) => {
    bytes += part.length;
    if (bytes <= limit) parts.push(part);
  };
  const take = () => {
    const line = bytes <= limit ? Buffer.concat(parts) : undefined;
    parts = [];
    bytes = 0;
    return line;
  };
  for await (const chunk of input) {
    const data = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    let from = 0;
    for (let at = data.indexOf(NEWLINE); at >= 0; at = data.indexOf(NEWLINE, from)) {
      add(data.subarray(from, at));
      yield take();
      from = at + 1;
    }
    add(data.subarray(from));
  }
  if (bytes > 0) yield take();
}
