import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = `${root}test/.snippets`
const readme = readFileSync(`${root}README.md`, 'utf8')
const snippets = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code as string)

/** api.example.com, as a replaced global fetch: what the snippets ask for is answered, all else fails. */
const api = `globalThis.fetch = async (target, init) => {
  const path = String(target).replace(/^https:\\/\\/api(-2)?\\.example\\.com/, '')
  if (path === '/users/1') return Response.json({ id: 1 })
  if (path === '/v1/users/0') return new Response(null, { status: 404 })
  if (path === '/v1/users') return new Response(null, { status: 500 })
  if (path.split('?')[0] === '/orders') return new Response('{"detail":"quantity must be positive"}', {
    status: 422, headers: { 'content-type': 'application/problem+json' } })
  throw new Error('not mocked: ' + path)
}`
const printed = [
  /\{ id: 1 \}/,
  /404 200 function/,
  /quantity must be positive\n\[\n? *\{/,
  /^https:\/\/api\.example\.com\/orders\?patient=\*\*\*&access_token=\*\*\*\n$/,
  /steadfetch; fwd=miss; fwd-status=200\nquantity must be positive/,
  /api-2\.example\.com is isolated\n\{ id: 1 \}/,
  /GET 200 1/,
  /^169\.254\.169\.254 target forbidden\n0x7f\.1 target forbidden\n\[::ffff:10\.0\.0\.1\] target forbidden\n(?:\S+ target forbidden\n){2}$/,
]

describe('the snippets of the README', () => {
  beforeAll(() => {
    mkdirSync(folder, { recursive: true })
    writeFileSync(`${folder}/api.ts`, api)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('are all known here', () => expect(snippets).toHaveLength(printed.length))

  test.each(snippets.map((code, index) => [index + 1, code] as const))(
    'number %i runs and prints what it says',
    async (number, code) => {
      const file = `${folder}/snippet-${number}.ts`
      writeFileSync(file, code)
      const run = promisify(execFile)
      const { stdout } = await run(process.execPath, ['--import', './api.ts', `snippet-${number}.ts`], {
        cwd: folder,
        timeout: 15_000,
      })
      expect(stdout).toMatch(printed[number - 1] as RegExp)
    },
  )
})
