import { connect } from 'node:net'
import { pathToFileURL } from 'node:url'
import { createFetch, fetchStandard } from 'steadfetch'
import { cacheStores } from 'undici'

interface Asked {
  readonly suite: string
  readonly type: string
  readonly store: string
  readonly id: string
  readonly policies: boolean
}

interface Test {
  readonly id: string
  readonly name: string
  readonly kind?: string
}

type Results = Record<string, true | [string, string]>

const asked = JSON.parse(process.argv[2] as string) as Asked
const mostFailures = Number(process.argv[3])
const { npm_config_port: port } = process.env

const load = async (path: string): Promise<unknown> => import(pathToFileURL(`${asked.suite}/${path}`).href)

const log = console.log
console.log = () => {}
await load('test-engine/server/server.mjs')
await listening()
console.log = asked.id === '' ? () => {} : log
const { default: suites } = (await load('tests/index.mjs')) as { default: { readonly tests: readonly Test[] }[] }
const { runTests, getResults } = (await load('test-engine/client/runner.mjs')) as {
  runTests: (suites: unknown, browser: boolean, base: string) => Promise<void>
  getResults: () => Results
}

const cache = {
  shared: asked.type === 'shared',
  ...(asked.store === 'sqlite' ? { store: new cacheStores.SqliteCacheStore() } : {}),
}
globalThis.fetch = createFetch(asked.policies ? { cache, errors: 'return' } : { ...fetchStandard, cache }) as typeof fetch

const chosen = suites.map((suite) => ({
  ...suite,
  tests: suite.tests.filter(({ id }) => asked.id === '' || id === asked.id).map((test) => ({ ...test, dump: asked.id !== '' })),
}))
await runTests(chosen, true, `http://localhost:${port}`)
console.log = log
report(
  chosen.flatMap(({ tests }) => tests),
  getResults(),
)

function report(tests: readonly Test[], results: Results): never {
  const failures = { required: [] as string[], optimal: [] as string[], check: [] as string[] }
  let passed = 0
  let unsettled = 0
  for (const { id, kind = 'required' } of tests) {
    const result = results[id]
    if (result === true) passed += 1
    else if (result === undefined || result[0] === 'Setup') unsettled += 1
    else failures[kind as keyof typeof failures].push(`${id}: ${result.join(': ')}`)
  }
  const { required, optimal, check } = failures
  for (const line of required) log(`  required  ${line}`)
  for (const line of optimal) log(`  optimal   ${line}`)
  if (asked.id !== '') for (const line of check) log(`  check     ${line}`)
  log(
    `${asked.type}, ${asked.store}: ${passed} passed, ${required.length} required failed, ${optimal.length} optimal failed, ` +
      `${check.length} answered no, ${unsettled} not to be judged`,
  )
  process.exit(required.length > mostFailures ? 1 : 0)
}

async function listening(): Promise<void> {
  for (;;) {
    const isOpen = await new Promise((resolve) => {
      const socket = connect(Number(port), 'localhost', () => resolve(true))
      socket.on('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (isOpen) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
