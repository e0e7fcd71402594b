/** Writes one checkpoint with parts 1, 2, … and one row a part, saying each number after its call returned, for ever. */
import { writeSync } from 'node:fs';
import { openManifest } from '../../../../src/manifest/sqlite/open.js';
import { GLOBAL_TO_OSS } from '../pairs.js';

const [file = ''] = process.argv.slice(2);
const manifest = openManifest(file, GLOBAL_TO_OSS);
manifest.beginUpload({ key: 'big', uploadId: 'u1', sourceEtag: 'e', size: 1e9, partSize: 5e6, createdMs: 1 });
for (let partNumber = 1; ; partNumber++) {
  manifest.addPart('big', { partNumber, size: 5e6, etag: `etag-${partNumber}` });
  writeSync(1, `${partNumber}\n`);
}
