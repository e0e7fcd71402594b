import type { UserInfoOptions } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { configHome, stateHome } from '../../src/config/home.js';

const account = vi.hoisted(() => ({ home: '' as string | undefined }));

vi.mock(import('node:os'), async (original) => {
  const os = await original();
  const fake = ((options: UserInfoOptions) => {
    if (account.home === undefined) throw new Error('no such user');
    return { ...os.userInfo(options), homedir: account.home };
  }) as typeof os.userInfo;
  return { ...os, userInfo: fake };
});

afterEach(() => {
  account.home = '/home/me';
});

test.each([
  [{ XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: '/s', HOME: '/h' }, '/c', '/s'],
  [{ HOME: '/h' }, '/h/.config', '/h/.local/state'],
  [{ HOME: '' }, '/home/me/.config', '/home/me/.local/state'],
  [{ HOME: 'relative' }, '/home/me/.config', '/home/me/.local/state'],
  [{ XDG_CONFIG_HOME: 'c', XDG_STATE_HOME: '.', HOME: '/h' }, '/h/.config', '/h/.local/state'],
])('%j', (env, config, state) => {
  account.home = '/home/me';
  expect([configHome(env), stateHome(env)]).toEqual([config, state]);
});

test.each([undefined, '', join('a', 'b')])('an account whose home is %j, without HOME, is a config error', (home) => {
  account.home = home;
  const message = 'this user has no home directory';
  expect(() => stateHome({})).toThrow(expect.objectContaining({ code: 'config', message }));
  expect(stateHome({ XDG_STATE_HOME: '/s' })).toBe('/s');
});
