/**
 * Counts what `sync --track-renames` sends when a folder was renamed at the source.
 * `npx tsx bench/renames.ts --objects 64 --size 32`
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer } from '../test/support/server/index.js';
import { optionsFrom } from './arguments.js';
import { remotesOf } from './watch/remotes.js';

const values = optionsFrom(import.meta.url, {
  options: {
    objects: { type: 'string', default: '64' },
    /** Of each object, MiB. */
    size: { type: 'string', default: '32' },
    /** The folder of bin/xsync.js and dist. */
    program: { type: 'string', default: join(import.meta.dirname, '..') },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'xsync-renames-'));
const server = await startServer({ oss: { pathStyle: true } });
try {
  const { s3, oss } = server.core;
  s3.createBucket('source');
  oss.createBucket('dest');
  const names = Array.from({ length: Number(values.objects) }, (_, n) => `part ${n}`);
  for (const [n, name] of names.entries()) {
    s3.put('source', `old/${name}`, Buffer.alloc(Number(values.size) * 2 ** 20, n + 1), {});
  }
  s3.put('source', 'stays', Buffer.from('stays'), {});
  const config = join(folder, 'config.yaml');
  writeFileSync(config, remotesOf(server), { mode: 0o600 });
  await sync(config);
  for (const name of names) {
    s3.put('source', `new/${name}`, s3.read('source', `old/${name}`), {});
    s3.delete('source', `old/${name}`);
  }
  server.requests.reset();
  const { copied, renamed, traffic } = await sync(config);
  const there = names.filter((name) => oss.read('dest', `new/${name}`).equals(s3.read('source', `new/${name}`)));
  console.log(
    `${there.length} of ${names.length} objects are at their new names, ${oss.list('dest').length - 1} in all`,
  );
  console.log(JSON.stringify({ copied, renamed, traffic }));
  console.log(`as the servers counted: ${JSON.stringify(server.requests.counts())}`);
} finally {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}

/** Not `execFile`: the servers are in this process. */
async function sync(config: string): Promise<Record<string, unknown>> {
  const args = ['sync', 'east:source', 'shanghai:dest', '--track-renames', '--config', config, '--json'];
  const env = { ...process.env, HOME: folder, XDG_STATE_HOME: folder };
  const child = spawn(process.execPath, [join(values.program, 'bin/xsync.js'), ...args, '--max-delete', '100%'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const more of child.stdout.setEncoding('utf8')) text += more;
  return JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;
}
