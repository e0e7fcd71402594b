import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'modules', include: ['test/**/*.test.ts'], exclude: ['test/cli/**'] } },
      {
        extends: true,
        test: {
          name: 'binary',
          include: ['test/cli/**/*.test.ts'],
          globalSetup: 'test/cli/build.ts',
          testTimeout: 120_000,
        },
      },
    ],
    // Two cores: the end-to-end suites start processes of their own.
    maxWorkers: 2,
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
