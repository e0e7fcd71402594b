import { defineConfig } from 'vitest/config';

/** Their modules are loaded once, not for each file. Nothing here changes the process or replaces modules. */
const SHARING = [
  'test/{aws,feed,hash,manifest,model}/**/*.test.ts',
  'test/engine/{check,decide,filter,flow,job,plan,rows,tune}/**/*.test.ts',
];

const MODULES = ['test/support/json-tickets.ts', 'test/support/resolver.mjs'];

/** Where CI wants the counts. */
const report = process.env.XSYNC_TEST_REPORT;

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'modules',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', ...SHARING],
          setupFiles: MODULES,
        },
      },
      { extends: true, test: { name: 'modules-sharing', include: SHARING, setupFiles: MODULES, isolate: false } },
      {
        extends: true,
        test: {
          name: 'binary',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: 'test/e2e/build.ts',
          setupFiles: 'test/support/resolver.mjs',
        },
      },
    ],
    reporters: report === undefined ? ['default'] : ['default', 'json'],
    outputFile: report === undefined ? {} : { json: report },
    // Two cores: the end-to-end suites start processes of their own.
    maxWorkers: 2,
    pool: 'forks',
    // Only what hangs takes so long, however busy the machine is.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
