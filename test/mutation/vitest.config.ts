import { defineConfig } from 'vitest/config'

/** The table of status codes is read as each file is loaded, so that every test would be run for every mutant of it. */
const ofStatus = ['test/conformance/status-table.test.ts', 'test/unit/{status,http,policies,cache-freshness,cache}.test.ts']

/** The tests that need neither sockets nor the build; properties with few runs, and the same ones for every mutant. */
export default defineConfig({
  test: {
    include:
      process.env.MUTATED === 'status'
        ? ofStatus
        : ['test/{unit,property}/**/*.test.ts', 'test/conformance/status-table.test.ts'],
    exclude: ['test/unit/msw.test.ts', 'test/property/{continues,json-position}.test.ts', 'test/property/fuzz/**'],
    env: { FUZZ_RUNS: '30' },
    setupFiles: ['test/mutation/seed.ts'],
    isolate: false,
    testTimeout: 5_000,
  },
})
