import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../../src/cli/main.js';
import { startServer, type TestServer } from '../support/server/index.js';
import { fakeIo } from './fixtures.js';

export interface Outcome {
  code: number;
  out: string;
  err: string;
}

/** The program in this process, with a home of its own and the remote `lab` on a server of its own. */
export interface Lab {
  home: string;
  server: TestServer;
  xsync(...args: string[]): Promise<Outcome>;
  close(): Promise<void>;
}

/** Its only bucket is `lab:bucket`. */
export async function openLab(): Promise<Lab> {
  const home = mkdtempSync(join(tmpdir(), 'xsync-lab-'));
  const server = await startServer();
  server.core.s3.createBucket('bucket');
  const { endpoint, region, accessKeyId, secretAccessKey } = server.s3;
  const keys = `access_key_id: ${accessKeyId}, secret_access_key: ${secretAccessKey}`;
  const remote = `{ type: s3, endpoint: ${endpoint}, region: ${region}, force_path_style: true, ${keys} }`;
  writeFileSync(join(home, 'config.yaml'), `remotes:\n  lab: ${remote}\n`, { mode: 0o600 });
  return {
    home,
    server,
    async xsync(...args) {
      const io = fakeIo({ HOME: home, XSYNC_CONFIG: join(home, 'config.yaml') });
      const code = await main(args, io);
      return { code, out: io.stdout.text(), err: io.stderr.text() };
    },
    async close() {
      await server.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
