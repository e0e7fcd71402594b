import { defineConfig } from 'vitest/config';

const report = process.env.XSYNC_TEST_REPORT;

/** Tests that need a real service, told by the environment (test/contract/real-s3.real.ts); `npm test` has none. */
export default defineConfig({
  test: {
    include: ['test/**/*.real.ts'],
    pool: 'forks',
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: report === undefined ? ['default'] : ['default', 'json'],
    outputFile: report === undefined ? {} : { json: report },
  },
});
