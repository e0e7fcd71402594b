import { defineConfig } from 'vitest/config';

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
          exclude: ['test/e2e/**'],
          setupFiles: ['test/support/json-tickets.ts', 'test/support/resolver.mjs'],
        },
      },
      {
        extends: true,
        test: {
          name: 'binary',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: 'test/e2e/build.ts',
          setupFiles: 'test/support/resolver.mjs',
          testTimeout: 120_000,
        },
      },
    ],
    reporters: report === undefined ? ['default'] : ['default', 'json'],
    outputFile: report === undefined ? {} : { json: report },
    // Two cores: the end-to-end suites start processes of their own.
    maxWorkers: 2,
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
