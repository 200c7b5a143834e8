import { defineConfig } from 'vitest/config'

/**
 * What each call passes, or what is read as each file is loaded, would have all tests run for every mutant of it: it has tests
 * of its own.
 */
const own: Readonly<Record<string, readonly string[]>> = {
  status: ['test/conformance/status-table.test.ts', 'test/unit/{http,policies,cache-freshness,cache}.test.ts'],
  options: [
    'test/unit/{policy-options,policies,protection-options,connect-options,options-as-given,classify,decisions}.test.ts',
    'test/unit/{response-in-policies,functions-that-throw,flights,coalesce,coalesce-within,refresh,poll,retry}.test.ts',
    'test/conformance/status-table.test.ts',
  ],
}
const all = ['test/{unit,property}/**/*.test.ts', 'test/conformance/status-table.test.ts']

/** The tests that need neither sockets nor the build; properties with few runs, and the same ones for every mutant. */
export default defineConfig({
  test: {
    include: [...(own[process.env.MUTATED ?? ''] ?? all)],
    exclude: ['test/unit/msw.test.ts', 'test/property/{continues,json-position}.test.ts', 'test/property/fuzz/**'],
    env: { FUZZ_RUNS: '30' },
    setupFiles: ['test/mutation/seed.ts'],
    isolate: false,
    testTimeout: 5_000,
  },
})
