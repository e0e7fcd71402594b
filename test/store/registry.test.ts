import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { z } from 'zod';
import { configJsonSchemaText } from '../../src/config/json-schema.js';
import { loadConfig } from '../../src/config/load.js';
import { parseLocation } from '../../src/config/location.js';
import { importRclone } from '../../src/config/rclone.js';
import { validateRemote } from '../../src/config/validate.js';
import { Opener } from '../../src/open/sides.js';
import type { Backend } from '../../src/store/backend.js';
import { MemoryStore } from '../../src/store/memory/store.js';
import { BACKENDS } from '../../src/store/registry.js';

vi.mock('../../src/store/registry.js', async (original) => {
  const registry = await original<typeof import('../../src/store/registry.js')>();
  const zod = await import('zod');
  const schema = zod.z.strictObject({ type: zod.z.literal('toy'), colour: zod.z.string().default('red') });
  const backend: Backend<z.output<typeof schema>> = {
    type: 'toy',
    schema,
    scheme: 'toy',
    implied: { colour: 'green' },
    async open(remote, { bucket }) {
      const store = new MemoryStore({ bucket, endpoint: `toy:${remote.colour}` });
      return { store, prices: { currency: remote.colour } };
    },
    rclone: { type: 'toybox', settings: (section) => ({ colour: section.get('paint') ?? 'none' }) },
  };
  return { ...registry, BACKENDS: [...registry.BACKENDS, backend] };
});

const env = { XSYNC_CONFIG_BOX_TYPE: 'toy', XSYNC_CONFIG_BOX_COLOUR: 'blue', HOME: '/nonexistent' };
const config = await loadConfig({ env });
const opener = new Opener(
  {
    ...{ transport: 'lean', lowLevelRetries: 1, timeoutMs: 0, contimeoutMs: 0, connections: 1, copyLinks: false },
    env: {},
  },
  config,
);

describe('one line in the registry makes a backend', () => {
  it('that a config can name', () => {
    expect(config.remotes.box).toEqual({ type: 'toy', colour: 'blue' });
    const place = () => 'c.yaml:1:1';
    expect(validateRemote({ name: 'r', value: { type: 'toy', color: 'x' }, place })).toEqual({
      problems: [
        {
          key: 'color',
          place: 'c.yaml:1:1',
          message: 'unknown key "color" in remote "r" of type toy; did you mean "colour"?',
        },
      ],
    });
    expect(validateRemote({ name: 'r', value: {}, place })).toMatchObject({
      problems: [{ message: 'remote "r" has no type; the types are s3, oss, local, memory, urls, toy' }],
    });
    expect(configJsonSchemaText()).toContain('"toy"');
  });

  it('that a location can name, by remote and by scheme', () => {
    expect(parseLocation('box:b/k', config)).toMatchObject({ bucket: 'b', path: 'k', remote: { colour: 'blue' } });
    expect(parseLocation('toy://b/k', config)).toMatchObject({ name: 'toy', remote: { type: 'toy', colour: 'green' } });
    expect(() => parseLocation('x://b', config)).toThrow('the schemes are s3://, oss://, urls://, and toy://');
  });

  it('that can be opened', async () => {
    const side = await opener.side('box:b/k/');
    expect(side).toMatchObject({ bucket: 'b', prefix: 'k/', prices: { currency: 'blue' } });
    expect(side.store.identity.endpoint).toBe('toy:blue');
    await side.close();
  });

  it('that rclone users can bring along', () => {
    expect(importRclone('[r]\ntype = toybox\npaint = pink\n', 'rclone.conf').remotes).toMatchObject([
      { name: 'r', settings: { type: 'toy', colour: 'pink' } },
    ]);
  });
});

it.each(BACKENDS)('backend $type describes remotes of its own type', ({ type, schema }) => {
  expect(schema.shape.type.value).toBe(type);
});

it('no file outside src/store asks which service a store is, or a new backend would have to change it', () => {
  const root = new URL('../../src/', import.meta.url).pathname;
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' });
  const asking = files
    .filter((file) => file.endsWith('.ts') && !file.startsWith('store/'))
    .filter((file) => /(['"`])(s3|oss)\1/.test(readFileSync(join(root, file), 'utf8')));
  expect(asking).toEqual([]);
});
