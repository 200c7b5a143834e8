// Runs a checkout of github.com/http-tests/cache-tests against the built package, and counts what it finds.
// node test/cache-suite/run.ts --suite <checkout> [--type private|shared] [--options standard|return|plain] [--id test]...
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { clientOf, type Plugged } from './client.ts'
import { counted, type Results, reported, type TestSet } from './report.ts'
import { serve, suiteModule } from './suite.ts'

/** More required tests than this must not fail. */
const tolerated = 7

const { values } = parseArgs({
  options: {
    suite: { type: 'string' },
    type: { type: 'string', default: 'private' },
    options: { type: 'string', default: 'standard' },
    id: { type: 'string', multiple: true },
  },
})
if (values.suite === undefined) throw new TypeError('--suite must name a checkout of cache-tests')
const suite = resolve(values.suite)
const isShared = values.type === 'shared'

const base = await serve(suite)
const { default: sets } = (await suiteModule(suite, 'tests/index.mjs')) as { default: readonly TestSet[] }
const runner = (await suiteModule(suite, 'test-engine/client/runner.mjs')) as {
  runTests(sets: readonly TestSet[], asBrowser: boolean, base: string): Promise<void>
  getResults(): Results
}
const results = (await suiteModule(suite, 'test-engine/lib/results.mjs')) as Parameters<typeof counted>[0]

const chosen = sets.map((set) => ({ ...set, tests: set.tests.filter((test) => isMeant(test.id, test.cdn_only)) }))
const api = clientOf(values.options as Plugged, isShared)
globalThis.fetch = api
// As a browser the suite leaves out what only a cache of many can do; as none it leaves out what only a private one can.
await runner.runTests(chosen, !isShared, base)
const counts = counted(results, sets, runner.getResults())
process.stdout.write(reported(counts, `${values.type} cache, options: ${values.options}`))
process.exit(counts.required.failed.length > tolerated ? 1 : 0)

/** Tests of content delivery networks are about a field that is none of ours, RFC 9213. */
function isMeant(id: string, isOfNetworks: boolean | undefined): boolean {
  return values.id === undefined ? isOfNetworks !== true : values.id.includes(id)
}
