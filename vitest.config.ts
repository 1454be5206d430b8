import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // Two cores: suites that start processes must not starve each other.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      { extends: true, test: { name: 'all', include: ['test/**/*.test.ts'] } },
      {
        extends: true,
        // Where koffi cannot be loaded, files are reached by Node's own functions.
        test: {
          name: 'without addons',
          include: ['test/io/containment.test.ts', 'test/io/file-faults.test.ts'],
          execArgv: ['--no-addons'],
        },
      },
    ],
  },
})
