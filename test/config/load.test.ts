import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configPath, loadConfig } from '../../src/config/load.js';
import { parseLocation } from '../../src/config/location.js';
import { redact } from '../../src/config/redact.js';
import { complaint, load, scratch } from './support.js';

const folder = await scratch();
const S3 = '{ type: s3, env_auth: true }';

describe('the config is found where rclone and XDG users expect it', () => {
  it.each([
    [{ file: '/a/c.yaml', env: { XSYNC_CONFIG: '/b', XDG_CONFIG_HOME: '/x', HOME: '/h' } }, '/a/c.yaml'],
    [{ env: { XSYNC_CONFIG: '/b/c.yaml', XDG_CONFIG_HOME: '/x', HOME: '/h' } }, '/b/c.yaml'],
    [{ env: { XSYNC_CONFIG: '', XDG_CONFIG_HOME: '/x', HOME: '/h' } }, '/x/xsync/config.yaml'],
    [{ env: { HOME: '/h' } }, '/h/.config/xsync/config.yaml'],
  ])('%j', (options, path) => {
    expect(configPath(options)).toBe(path);
  });

  it('nothing in the default place is an empty config; a named file that is missing is a mistake', async () => {
    expect(await loadConfig({ env: { HOME: folder } })).toEqual({
      path: join(folder, '.config/xsync/config.yaml'),
      remotes: {},
      unset: {},
    });
    expect(await complaint(folder, () => loadConfig({ file: join(folder, 'nope'), env: {} }))).toBe(
      'config: /nope: config file not found → Check --config and XSYNC_CONFIG, or create the file with "xsync config add".',
    );
    expect(await complaint(folder, () => loadConfig({ env: { XSYNC_CONFIG: folder } }))).toBe(
      'config: : cannot read the config file: it is a directory → Check --config and XSYNC_CONFIG, and the permissions of the file and its folder.',
    );
  });
});

it('remotes of every type load, with defaults filled in', async () => {
  const config = await load(
    folder,
    `# comment
remotes:
  lab: { type: s3, provider: minio, endpoint: "http://127.0.0.1:9000", access_key_id: a, secret_access_key: b }
  cn: { type: oss, region: oss-cn-hangzhou, env_auth: true }
  disk: { type: local, copy_links: true }
  mem: { type: memory }
`,
  );
  expect(config.remotes).toMatchObject({
    lab: { type: 's3', endpoint: 'http://127.0.0.1:9000', requester_pays: false },
    cn: { type: 'oss', region: 'cn-hangzhou', signature_version: 'v4' },
    disk: { type: 'local', copy_links: true },
    mem: { type: 'memory' },
  });
});

describe('a mistake is shown with its line and column, and with what was meant', () => {
  it.each<[string, string, string]>([
    [
      'a misspelt key',
      `remotes:\n  lab:\n    type: s3\n    acces_key_id: x\n    secret_access_key: y\n`,
      'F:4:5: unknown key "acces_key_id" in remote "lab" of type s3; did you mean "access_key_id"?',
    ],
    [
      'a key of another service',
      'remotes:\n  d: { type: oss, region: cn-shanghai, sse_c_key_file: k }\n',
      'F:2:40: unknown key "sse_c_key_file" in remote "d" of type oss; OSS offers no encryption with keys of its customers: use server_side_encryption: KMS and sse_kms_key_id',
    ],
    [
      'a key of nowhere',
      'remotes:\n  d: { type: local, colour: red }\n',
      'F:2:21: unknown key "colour" in remote "d" of type local; its keys are type, copy_links, xattrs, permissions, encoding',
    ],
    [
      'an unknown type',
      'remotes:\n  lab: { type: s4 }\n',
      'F:2:16: remote "lab" has the unknown type "s4"; the types are s3, oss, local, memory, urls; did you mean "s3"?',
    ],
    [
      'no type',
      'remotes:\n  lab: { region: x }\n',
      'F:2:3: remote "lab" has no type; the types are s3, oss, local, memory, urls',
    ],
    ['no settings', 'remotes:\n  lab:\n', 'F:2:3: remote "lab" must have settings such as "type: s3"; found nothing'],
    [
      'a word for a switch',
      'remotes:\n  d:\n    type: local\n    copy_links: yes\n',
      'F:4:17: copy_links of remote "d" must be true or false; found "yes"',
    ],
    [
      'a wrong choice',
      'remotes:\n  lab: { type: s3, env_auth: true, provider: minioo, endpoint: h }\n',
      'F:2:46: provider of remote "lab" must be one of aws, aws-cn, minio, ceph, b2, r2, digitalocean, garage, gcs, linode, scaleway, seaweedfs, storj, wasabi, oss, cos, obs, other; found "minioo"; did you mean "minio"?',
    ],
    [
      'a number for text',
      'remotes:\n  lab: { type: s3, env_auth: true, region: 5 }\n',
      'F:2:44: region of remote "lab" must be text; found 5; put it in quotes',
    ],
    [
      'an empty text',
      'remotes:\n  lab: { type: s3, env_auth: true, region: "" }\n',
      'F:2:44: region of remote "lab" must not be empty; found ""',
    ],
    [
      'half of a pair',
      'remotes:\n  lab: { type: s3, access_key_id: x }\n',
      'F:2:3: remote "lab" lacks secret_access_key: set both access_key_id and secret_access_key, or neither',
    ],
    [
      'an impossible name',
      'remotes:\n  "my lab": { type: local }\n',
      'F:2:3: "my lab" cannot be a remote\'s name; use letters, digits, "_", "." and "-", not starting with "-"',
    ],
    [
      'a name given twice',
      'remotes:\n  lab: { type: local }\n  lab: { type: memory }\n',
      'F:3:3: lab is a duplicate key',
    ],
    ['a key given twice', 'remotes:\n  lab:\n    type: local\n    type: memory\n', 'F:4:5: type is a duplicate key'],
    ['a tab', 'remotes:\n\tlab: { type: local }\n', 'F:2:1: Tabs are not allowed as indentation'],
    ['a list at the top', '- a\n', 'F:1:1: the config must start with "remotes:"'],
    ['a misspelt section', 'remote:\n  lab: { type: local }\n', 'F:1:1: unknown key "remote"; did you mean "remotes"?'],
    ['a list of remotes', 'remotes:\n  - type: s3\n', 'F:2:3: "remotes" must map names to remotes'],
  ])('%s', async (_, text, message) => {
    expect(await complaint(folder, () => load(folder, text))).toBe(`config: ${message}`);
  });

  it('all of them at once, in the order of the file', async () => {
    const text = 'remotes:\n  a:\n    type: oss\n    internal: 1\n    accelerate: x\n  b: { type: locl }\n';
    expect((await complaint(folder, () => load(folder, text))).match(/F:\d+/g)).toEqual(['F:4', 'F:5', 'F:6']);
  });
});

describe('secrets stay secret', () => {
  const literal = 'remotes:\n  lab: { type: s3, access_key_id: AKIAEXAMPLE12345, secret_access_key: hushhush }\n';
  const fromEnv = `remotes:\n  lab: { type: s3, access_key_id: a, secret_access_key: "\${SECRET}" }\n`;

  it.each([0o644, 0o640, 0o604, 0o620])(
    'a file with secrets in mode %o is refused with the command that helps',
    async (mode) => {
      const file = join(folder, 'open.yaml');
      await writeFile(file, literal);
      await chmod(file, mode);
      expect(await complaint(folder, () => loadConfig({ file, env: {} }))).toBe(
        `config: /open.yaml contains secrets but is open to other users (mode 0${mode.toString(8)}) → Run: chmod 600 /open.yaml`,
      );
      await chmod(file, 0o600);
      expect(Object.keys((await loadConfig({ file, env: {} })).remotes)).toEqual(['lab']);
    },
  );

  it('a file that names variables instead may be shared', async () => {
    const config = await load(folder, fromEnv, { SECRET: 's' }, 0o644);
    expect(config.remotes.lab).toMatchObject({ secret_access_key: 's' });
  });

  it.each([`\${SECRET}tail`, '12345678', '$${SECRET}'])(
    'a secret such as %s counts as one that stands in the file',
    async (secret) => {
      const text = `remotes:\n  lab: { type: oss, access_key_id: a, secret_access_key: "${secret}" }\n`;
      expect(await complaint(folder, () => load(folder, text, { SECRET: 's' }, 0o644))).toContain('contains secrets');
    },
  );

  it('no complaint repeats a secret', async () => {
    const texts = [
      'remotes:\n  lab: { type: s3, secret_access_key: hushhush }\n',
      'remotes:\n  lab: { type: s3, secret_access_key: [hushhush], access_key_id: { hushhush: 1 } }\n',
      'remotes:\n  lab: { type: s3, env_auth: true, endpoint: "https://me:hushhush@host/x" }\n',
      'remotes:\n  lab: { type: s3, secret_access_key: "hushhush" "hushhush" }\n',
      'remotes:\n  lab:\n    secret_access_key: hushhush\n   type: s3\n  - hushhush: "hushhush\n',
      'remotes:\n  lab: { type: s3, secret_access_key: "hushhush\\q" }\n',
      'remotes:\n  lab: { type: s3, access_key_id: x, session_token: 5, region: 5, secret_access_key: hushhush }\n',
    ];
    for (const text of texts) {
      const message = await complaint(folder, () => load(folder, text));
      expect(message).toMatch(/^config: F:\d+:\d+: /);
      expect(message).not.toContain('hushhush');
    }
  });

  it.each(['*', '&', '!', '|', '>', '@', '%', '"\\x', '!<', '"hushhush" '])(
    'even when it is not quoted and starts with %s',
    async (sign) => {
      const text = `remotes:\n  lab:\n    type: s3\n    secret_access_key: ${sign}hushhush\n`;
      const message = await complaint(folder, () => load(folder, text));
      expect(message).toMatch(/^config: F:4:\d+: [A-Za-z]/);
      expect(message).not.toContain('hu');
    },
  );

  it('config show keeps them back, and all but the end of a key id', async () => {
    const shown = redact(await load(folder, literal));
    expect(shown.remotes.lab).toMatchObject({ access_key_id: '***2345', secret_access_key: '***' });
    const short = redact(await load(folder, fromEnv, { SECRET: 's' }));
    expect(short.remotes.lab).toMatchObject({ access_key_id: '***', secret_access_key: '***' });
    expect(JSON.stringify(shown)).not.toContain('hushhush');
  });

  it.each([
    ['http://me:hush/hush@proxy.example:3128', 'http://***@proxy.example:3128'],
    ['me:hush@proxy.example:3128', '***@proxy.example:3128'],
    ['socks5://proxy.example', 'socks5://proxy.example'],
  ])('config show keeps the password of a proxy back: %s', async (proxy, shown) => {
    const config = { path: '', unset: {}, remotes: { lab: { type: 's3', proxy } } };
    expect(redact(config).remotes.lab?.proxy).toBe(shown);
  });

  it('a proxy that is none is not quoted, and one with a password makes the file private', async () => {
    const remote = (proxy: string) => `remotes:\n  lab: { type: s3, env_auth: true, proxy: "${proxy}" }\n`;
    const wrong = await complaint(folder, () => load(folder, remote('socks4://me:hush@proxy.example')));
    expect(wrong).toContain('proxy of remote "lab" must be an address such as http://proxy.example:3128');
    expect(wrong).not.toContain('hush');
    const file = join(folder, 'proxy.yaml');
    const loaded = async (proxy: string) => {
      await writeFile(file, remote(proxy));
      await chmod(file, 0o644);
      return loadConfig({ file, env: { PASSWORD: 'p' } });
    };
    await expect(loaded('http://me:hush@proxy.example')).rejects.toThrow('contains secrets but is open to other users');
    await loaded(`http://me:\${PASSWORD}@proxy.example`);
    await loaded('http://proxy.example:3128');
  });
});

describe('values from the environment', () => {
  it('fill text and switches, and two dollars keep one', async () => {
    const text = `remotes:\n  lab: { type: s3, env_auth: "\${YES}", region: "eu-\${WHERE}-1", profile: "a$\${b}" }\n`;
    const config = await load(folder, text, { YES: 'true', WHERE: 'west' });
    expect(config.remotes.lab).toMatchObject({ env_auth: true, region: 'eu-west-1', profile: `a\${b}` });
  });

  it('a value is filled once: what it brings is not looked into', async () => {
    const config = await load(folder, `remotes:\n  lab: { type: s3, profile: "\${A}" }\n`, { A: `\${B}`, B: 'x' });
    expect(config.remotes.lab).toMatchObject({ profile: `\${B}` });
  });

  it('a variable that is not set makes the remotes that name it unusable, with its line, and no others', async () => {
    const text = `remotes:\n  lab:\n    type: s3\n    access_key_id: a\n    secret_access_key: \${LAB_SECRET}\n  disk: { type: local }\n`;
    const config = await load(folder, text);
    expect(Object.keys(config.remotes)).toEqual(['disk']);
    const uses = (location: string) => complaint(folder, async () => parseLocation(location, config));
    expect(await uses('lab:bucket')).toBe('config: F:5:24: the environment variable LAB_SECRET is not set');
    expect(parseLocation('disk:/tmp', config).name).toBe('disk');
    expect(redact(config).remotes.lab).toEqual({ unusable: expect.stringContaining('LAB_SECRET is not set') });
    const odd = await load(folder, `remotes:\n  a: { type: s3, profile: "\${A B}" }\n`);
    expect(odd.unset.a).toContain(`"\${A B}" is not an environment variable; write $\${ for a literal "\${"`);
  });
});

describe('XSYNC_CONFIG_<REMOTE>_<KEY>', () => {
  it('changes a remote of the file and defines new ones', async () => {
    const config = await load(folder, `remotes:\n  my-lab: ${S3}\n`, {
      XSYNC_CONFIG_MY_LAB_ENDPOINT: 'http://127.0.0.1:1',
      XSYNC_CONFIG_MY_LAB_STORAGE_CLASS: '',
      XSYNC_CONFIG_NEW_TYPE: 'oss',
      XSYNC_CONFIG_NEW_REGION: 'cn-beijing',
      XSYNC_CONFIG_NEW_INTERNAL: 'true',
      XSYNC_CONFIG_NEW_ACCELERATE_ENDPOINT: 'overseas',
      XSYNC_CONFIG_NEW_SECRET_ACCESS_KEY: '12345',
      XSYNC_CONFIG: 'elsewhere',
    });
    expect(config.remotes).toMatchObject({
      'my-lab': { endpoint: 'http://127.0.0.1:1' },
      new: { region: 'cn-beijing', internal: true, accelerate_endpoint: 'overseas', secret_access_key: '12345' },
    });
    expect(Object.keys(config.remotes)).toEqual(['my-lab', 'new']);
  });

  it.each<[Record<string, string>, string]>([
    [
      { XSYNC_CONFIG_X_ENDPOINT: 'h' },
      'XSYNC_CONFIG_X_…: remote "x" has no type; the types are s3, oss, local, memory, urls',
    ],
    [
      { XSYNC_CONFIG_LAB_PROVIDER: 'mino' },
      'XSYNC_CONFIG_LAB_PROVIDER: provider of remote "lab" must be one of aws, aws-cn, minio, ceph, b2, r2, digitalocean, garage, gcs, linode, scaleway, seaweedfs, storj, wasabi, oss, cos, obs, other; found "mino"; did you mean "minio"?',
    ],
    [
      { XSYNC_CONFIG_A_B_COPY_LINKS: 'true' },
      'XSYNC_CONFIG_A_B_COPY_LINKS fits both remotes "a-b" and "a_b"; rename one of them',
    ],
  ])('%j names the variable', async (env, message) => {
    const text = `remotes:\n  lab: ${S3}\n  a-b: { type: local }\n  a_b: { type: local }\n`;
    expect(await complaint(folder, () => load(folder, text, env))).toBe(`config: ${message}`);
  });
});
