import { defineConfig } from 'vitest/config';

const report = process.env.XSYNC_TEST_REPORT;

/** Tests that need redis-server; `npm test` has none. */
export default defineConfig({
  test: {
    include: ['test/**/*.redis.ts'],
    globalSetup: 'test/e2e/build.ts',
    setupFiles: 'test/support/resolver.mjs',
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 60_000,
    reporters: report === undefined ? ['default'] : ['default', 'json'],
    outputFile: report === undefined ? {} : { json: report },
  },
});
