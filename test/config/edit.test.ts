import { lstat, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addRemote, removeRemote } from '../../src/config/edit.js';
import { loadConfig } from '../../src/config/load.js';
import { complaint, scratch } from './support.js';

const folder = await scratch();
const ORIGINAL = `# our places
remotes:
  # the lab in Basel
  lab: { type: s3, env_auth: true } # do not touch
  disk:
    type: local
`;

async function written(name: string, text = ORIGINAL): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text, { mode: 0o644 });
  return file;
}

describe('editing the config', () => {
  it('keeps comments and order, and makes the file private', async () => {
    const file = await written('a');
    await addRemote(file, 'cn', { type: 'oss', region: 'cn-beijing', env_auth: 'true', access_key_id: '123' });
    expect(await readFile(file, 'utf8')).toBe(
      `${ORIGINAL}  cn:\n    type: oss\n    region: cn-beijing\n    env_auth: true\n    access_key_id: "123"\n`,
    );
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await removeRemote(file, 'cn');
    expect(await readFile(file, 'utf8')).toBe(ORIGINAL);
  });

  it('creates the file and its folder', async () => {
    const file = join(folder, 'new', 'xsync', 'config.yaml');
    await addRemote(file, 'mem', { type: 'memory' });
    expect((await loadConfig({ file, env: {} })).remotes).toEqual({ mem: { type: 'memory' } });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'new', 'xsync'))).mode & 0o777).toBe(0o700);
  });

  it('works on a file that has no remotes yet', async () => {
    const file = await written('empty', '# soon\nremotes:\n');
    await addRemote(file, 'mem', { type: 'memory' });
    expect((await loadConfig({ file, env: {} })).remotes).toEqual({ mem: { type: 'memory' } });
    expect(await readFile(file, 'utf8')).toContain('# soon');
  });

  it('a link to a file kept elsewhere stays a link, and nothing is left lying about', async () => {
    const file = await written('target');
    const link = join(folder, 'link');
    await symlink(file, link);
    await removeRemote(link, 'lab');
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(await readFile(file, 'utf8')).not.toContain('lab:');
    expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('refuses, and leaves the file as it was', async () => {
    const file = await written('kept');
    const add = (name: string, settings: Record<string, string>) =>
      complaint(folder, () => addRemote(file, name, settings));
    expect(await add('lab', { type: 'memory' })).toBe(
      'config: /kept:4:3: the remote "lab" exists already → Choose another name, or set --replace.',
    );
    expect(await add('x', { type: 'local', copylinks: 'true' })).toBe(
      'config: x.copylinks: unknown key "copylinks" in remote "x" of type local; did you mean "copy_links"?',
    );
    expect(await add('-x', { type: 'local' })).toContain('"-x" cannot be a remote\'s name');
    expect(await complaint(folder, () => removeRemote(file, 'labb'))).toBe(
      'config: /kept: there is no remote "labb"; did you mean "lab"?',
    );
    expect(await complaint(folder, () => removeRemote(file, 'zzzzz'))).toBe(
      'config: /kept: there is no remote "zzzzz"; it has lab, disk',
    );
    expect(await complaint(folder, () => removeRemote(join(folder, 'none'), 'x'))).toBe(
      'config: /none: there is no remote "x"; it has none',
    );
    const broken = await written('broken', 'remotes: [\n');
    expect(await complaint(folder, () => addRemote(broken, 'x', { type: 'memory' }))).toMatch(/^config: \/broken:\d/);
    const list = await written('list', '- a\n');
    expect(await complaint(folder, () => addRemote(list, 'x', { type: 'memory' }))).toBe(
      'config: /list:1:1: the config must start with "remotes:"',
    );
    expect(await complaint(folder, () => addRemote(folder, 'x', { type: 'memory' }))).toContain(
      'cannot read the config',
    );
    expect(await readFile(file, 'utf8')).toBe(ORIGINAL);
  });

  it('says why the file and its folder cannot be created, and ends (the recursive mkdir of Node does not)', async () => {
    const add = (file: string) => complaint(folder, () => addRemote(file, 'x', { type: 'memory' }));
    const file = await written('in-the-way');
    expect(await add('/proc/none/xsync/config.yaml')).toMatch(
      /^config: \/proc\/none.*: cannot write the config file: /,
    );
    expect(await add(join(file, 'config.yaml'))).toContain('cannot read the config file: not a directory → Check');
    expect(await add('/dev/null/xsync/config.yaml')).toContain('cannot read the config file: not a directory → Check');
  });

  it('replaces when told to', async () => {
    const file = await written('replaced');
    await addRemote(file, 'lab', { type: 'memory' }, { replace: true });
    expect((await loadConfig({ file, env: {} })).remotes.lab).toEqual({ type: 'memory' });
  });

  it('takes references whose variables are set only later', async () => {
    const file = await written('later');
    const settings = { type: 'oss', region: 'cn-beijing', internal: `\${WHERE}`, access_key_id: `\${ID}` };
    await addRemote(file, 'cn', settings);
    const config = await loadConfig({ file, env: { WHERE: 'true', ID: 'me' } });
    expect(config.remotes.cn).toMatchObject({ internal: true, access_key_id: 'me' });
  });
});
