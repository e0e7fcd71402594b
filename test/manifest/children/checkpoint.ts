/** Writes one checkpoint with parts 1, 2, … and one row a part, saying each number after its call returned, for ever. */
import { writeSync } from 'node:fs';
import { openManifest } from '../../../src/manifest/sqlite/open.js';
import { GLOBAL_TO_OSS } from '../pairs.js';

const [file = ''] = process.argv.slice(2);
const manifest = openManifest(file, GLOBAL_TO_OSS);
manifest.beginUpload({ key: 'big', uploadId: 'u1', sourceEtag: 'e', size: 1e9, partSize: 5e6, createdMs: 1 });
for (let partNumber = 1; ; partNumber++) {
  manifest.addPart('big', { partNumber, size: 5e6, etag: `etag-${partNumber}` });
  say(`${partNumber}\n`);
}

/** At once and whole: a parent that is slow to read leaves the pipe full for a while. */
function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, line);
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
    }
  }
}
