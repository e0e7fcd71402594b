import { defineConfig } from 'vitest/config';

/** They replace modules, so they share none with other files. */
const ALONE = ['test/config/home.test.ts', 'test/open/filter-of.test.ts', 'test/store/registry.test.ts'];

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
          exclude: ['test/e2e/**', ...ALONE],
          setupFiles: MODULES,
          // To load the modules anew for each file took longer than most files.
          isolate: false,
        },
      },
      { extends: true, test: { name: 'alone', include: ALONE, setupFiles: MODULES } },
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
