import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../../src/cli/main.js';
import { startServer, type TestServer } from '../../support/server/index.js';
import { createUpload } from '../../support/server/uploads.js';
import { fakeIo } from './fixtures.js';

const HOUR_MS = 3_600_000;

let home: string;
let server: TestServer;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'xsync-cleanup-'));
  server = await startServer();
  server.core.s3.createBucket('bucket');
  const { endpoint, region, accessKeyId, secretAccessKey } = server.s3;
  const keys = `access_key_id: ${accessKeyId}, secret_access_key: ${secretAccessKey}`;
  const remote = `{ type: s3, endpoint: ${endpoint}, region: ${region}, force_path_style: true, ${keys} }`;
  writeFileSync(join(home, 'config.yaml'), `remotes:\n  lab: ${remote}\n`, { mode: 0o600 });
});

afterEach(async () => {
  await server.close();
  rmSync(home, { recursive: true, force: true });
});

async function xsync(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = fakeIo({ HOME: home, XSYNC_CONFIG: join(home, 'config.yaml') });
  const code = await main(args, io);
  return { code, out: io.stdout.text(), err: io.stderr.text() };
}

function leave(key: string, hoursAgo: number): void {
  server.clockOffsetMs = -hoursAgo * HOUR_MS;
  createUpload(server.core.s3.bucket('bucket'), key, {});
  server.clockOffsetMs = 0;
}

const left = (): string[] => server.core.s3.uploads('bucket').map(({ key }) => key);

describe('cleanup', () => {
  it('aborts old uploads under the path alone: young ones may be at work, others belong to somebody else', async () => {
    leave('mine/old', 30);
    leave('mine/young', 1);
    leave('minefield/old', 30);
    const { code, out } = await xsync('cleanup', 'lab:bucket/mine');
    expect(code).toBe(0);
    expect(out).toMatch(/^aborted mine\/old \(\S+, 1d06h old\)\nAborted 1 unfinished upload\n$/);
    expect(left()).toEqual(['mine/young', 'minefield/old']);
    await xsync('cleanup', '--max-age', '30m', 'lab:bucket/mine');
    expect(left()).toEqual(['minefield/old']);
  });

  it('only names them in a dry run', async () => {
    leave('old', 30);
    const { out } = await xsync('cleanup', '-n', 'lab:bucket');
    expect(out).toMatch(/^would abort old .*\nWould abort 1 unfinished upload\n$/);
    expect(left()).toEqual(['old']);
  });

  it('with --source aborts what a copy from there left, however young, and forgets its checkpoint', async () => {
    const source = join(home, 'source');
    mkdirSync(source);
    writeFileSync(join(source, 'large'), Buffer.alloc(12 * 1024 * 1024, 7));
    server.faults.add({
      match: { kind: 'UploadPart', partNumber: 2 },
      fault: { kind: 'status', status: 403, code: 'AccessDenied' },
    });
    expect((await xsync('copy', '--part-size', '5M', source, 'lab:bucket/mine')).code).toBe(6);
    leave('mine/young', 1);
    expect(left()).toEqual(['mine/large', 'mine/young']);
    const { code, out } = await xsync('cleanup', '--source', source, 'lab:bucket/mine');
    expect({ code, left: left() }).toEqual({ code: 0, left: ['mine/young'] });
    expect(out).toContain('aborted mine/large');
    expect((await xsync('cleanup', '--source', source, 'lab:bucket/mine')).out).toBe('Aborted 0 unfinished uploads\n');
  });
});
