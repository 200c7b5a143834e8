import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/{unit,wire,property,conformance,simulation}/**/*.test.ts'],
    testTimeout: 20_000,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      // The command line runs in child processes, where it is tested but not counted.
      exclude: ['src/types/**', 'src/cli/**'],
      reporter: ['text-summary', 'text'],
      thresholds: { lines: 95 },
    },
  },
})
