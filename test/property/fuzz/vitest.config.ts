import { defineConfig } from 'vitest/config'

/** `npm run fuzz`: as `npm test` runs it, but for long. */
export default defineConfig({
  test: {
    include: ['test/property/fuzz/**/*.test.ts'],
    env: { FUZZ_RUNS: process.env.FUZZ_RUNS ?? '10000' },
    testTimeout: 3_600_000,
  },
})
