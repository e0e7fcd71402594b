/** The two servers of the demo with what the guide copies, and the files that lead xsync to them. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startServer, type TestServer } from '../../test/support/server/index.js';
import { configOf } from '../quickstart/config.js';
import { bytesOf } from '../quickstart/data.js';
import { PROGRAM } from '../quickstart/sandbox.js';

const KiB = 1024;
const MONTHS = 12;
const PHOTOS_A_MONTH = 125;

export interface Demo {
  server: TestServer;
  /** A shell reads it (`. env.sh`), and then finds xsync and the remotes. */
  environment: string;
  close(): Promise<void>;
}

/**
 * Starts an S3 server with the bucket `photos`, and an OSS server with the empty bucket `photos-cn`.
 * @param folder is created, and removed at the end
 * @param movieSize bytes of the one large object
 */
export async function startDemo(folder: string, movieSize: number): Promise<Demo> {
  const server = await startServer({ oss: { pathStyle: true } });
  server.core.oss.createBucket('photos-cn');
  fillPhotos(server, movieSize);
  mkdirSync(join(folder, 'bin'), { recursive: true, mode: 0o700 });
  // Readable only by its owner: xsync refuses secrets that others can read.
  writeFileSync(join(folder, 'config.yaml'), configOf(server, 'shanghai'), { mode: 0o600 });
  symlinkSync(PROGRAM, join(folder, 'bin', 'xsync'));
  const environment = join(folder, 'env.sh');
  writeFileSync(environment, environmentOf(folder));
  return {
    server,
    environment,
    async close() {
      rmSync(folder, { recursive: true, force: true });
      await server.close();
    },
  };
}

function fillPhotos({ core: { s3 } }: TestServer, movieSize: number): void {
  s3.createBucket('photos');
  const put = (key: string, size: number, storageClass?: string) =>
    void s3.put('photos', key, bytesOf(size, key), { storageClass });
  for (let n = 0; n < MONTHS * PHOTOS_A_MONTH; n++) {
    const month = String(1 + Math.floor(n / PHOTOS_A_MONTH)).padStart(2, '0');
    put(`2024/${month}/img_${String(n).padStart(4, '0')}.jpg`, 3 * KiB + ((n * 37) % (10 * KiB)));
  }
  put('2024/12/holiday.mov', movieSize);
  put('2024/.DS_Store', 50);
  put('2019/old.tar', 5000, 'GLACIER');
  put('/slash-first.jpg', 5000);
}

function environmentOf(folder: string): string {
  return `export PATH='${folder}/bin':"$PATH"
export XSYNC_CONFIG='${folder}/config.yaml'
export XDG_STATE_HOME='${folder}/state'
`;
}
