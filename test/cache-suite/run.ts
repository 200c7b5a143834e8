// Runs the public HTTP cache tests (http-tests/cache-tests, a checkout of which is named) against steadfetch with a cache.
// node test/cache-suite/run.ts --suite <checkout> [--type private|shared] [--store memory|sqlite] [--id <test>] [--policies]
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

/** A cache of undici's kind fails 14 and 16 of the required tests; more than these few are a fault of ours. */
const mostFailures = 7

const { values } = parseArgs({
  options: {
    suite: { type: 'string' },
    type: { type: 'string', multiple: true, default: ['private', 'shared'] },
    store: { type: 'string', default: 'memory' },
    id: { type: 'string', default: '' },
    policies: { type: 'boolean', default: false },
  },
})
if (values.suite === undefined) throw new TypeError('--suite must name a checkout of the tests')

const worker = new URL('worker.ts', import.meta.url).pathname
let failed = false
for (const [index, type] of values.type.entries()) {
  // The server of the tests reads its port from the environment, and lives in the process of its client.
  const settings = { npm_config_protocol: 'http', npm_config_port: String(8_300 + index), npm_config_pidfile: '/dev/null' }
  const asked = JSON.stringify({ suite: values.suite, type, store: values.store, id: values.id, policies: values.policies })
  const { status } = spawnSync(process.execPath, ['--no-warnings', worker, asked, String(mostFailures)], {
    stdio: 'inherit',
    env: { ...process.env, ...settings },
  })
  failed ||= status !== 0
}
process.exitCode = failed ? 1 : 0
