import { expect, test } from 'vitest';
import { buildProgram, main } from '../../src/cli/main.js';
import { strayVariables } from '../../src/cli/variables.js';
import { fakeIo } from './fixtures.js';

const strays = (env: NodeJS.ProcessEnv): string[] =>
  strayVariables(
    buildProgram(fakeIo(), () => {}),
    env,
  );

test.each([
  ['options of every command', { XSYNC_PART_SIZE: '8M', XSYNC_RPO: '1m', XSYNC_CONFIG: 'x', XSYNC_VERBOSE: '1' }],
  ['secrets', { XSYNC_NOTIFY_SECRET: 'a', XSYNC_EVENTS_SECRET: 'b', XSYNC_EVENTS_SECRET_FILE: 'c' }],
  ['keys of remotes', { XSYNC_CONFIG_LAB_ENDPOINT: 'h', XSYNC_CONFIG_MY_LAB_SECRET_ACCESS_KEY: 's' }],
  ['nothing, or other programs', { XSYNC_NOPE: '', XSYNCX_NOPE: '1', PATH: '/bin' }],
])('no warning: %s', (_, env) => {
  expect(strays(env)).toEqual([]);
});

test('a misspelled name gets a suggestion, and the rest share one line', () => {
  expect(strays({ XSYNC_PRAT_SIZE: '8M', XSYNC_CONFIG_LAB_ENDPONT: 'x' })).toEqual([
    'XSYNC_PRAT_SIZE is ignored: no such option; did you mean "XSYNC_PART_SIZE"?',
    'XSYNC_CONFIG_LAB_ENDPONT is ignored: no such option; did you mean "endpoint"?',
  ]);
  const service = {
    XSYNC_CONFIG_PORT: 'tcp://10.0.0.1:80',
    XSYNC_CONFIG_SERVICE_HOST: '10.0.0.1',
    XSYNC_CONFIG_SERVICE_PORT: '80',
    XSYNC_CONFIG_PORT_80_TCP: 'tcp://10.0.0.1:80',
    XSYNC_CONFIG_PORT_80_TCP_ADDR: '10.0.0.1',
  };
  expect(strays(service)).toEqual([
    'XSYNC_CONFIG_PORT, XSYNC_CONFIG_SERVICE_HOST, XSYNC_CONFIG_SERVICE_PORT, XSYNC_CONFIG_PORT_80_TCP and 1 more are ' +
      'ignored: no such option',
  ]);
});

test('the command works, and -q hides the warning', async () => {
  for (const [args, warning] of [
    [['config', 'path'], 'xsync: warning: XSYNC_NOPE is ignored: no such option\n'],
    [['config', 'path', '-q'], ''],
  ] as const) {
    const io = fakeIo({ HOME: '/h', XSYNC_NOPE: '1' });
    expect([await main(args, io), io.stdout.text(), io.stderr.text()]).toEqual([
      0,
      '/h/.config/xsync/config.yaml\n',
      warning,
    ]);
  }
});
