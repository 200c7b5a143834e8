import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createFetch, type NetworkError, RangeNotSatisfiableError, type SteadFetch, traceOf } from '../../src/index.ts'
import { rejection } from '../support/client.ts'
import { cuttingProxy } from '../support/cutting-proxy.ts'
import { freePorts, type Nginx, startNginx } from '../support/nginx.ts'
import type { LocalServer } from '../support/server.ts'

const text = Array.from({ length: 40_000 }, (_, line) => `line ${line}\n`).join('')

let nginx: Nginx
let folder: string
let port: number
let origin: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'steadfetch-files-'))
  await writeFile(join(folder, 'old.txt'), text)
  await utimes(join(folder, 'old.txt'), new Date('2026-01-01'), new Date('2026-01-01'))
  await writeFile(join(folder, 'new.txt'), text)
  ;[port] = (await freePorts(1)) as [number]
  origin = `http://127.0.0.1:${port}`
  const http = `
    gzip on;
    gzip_types text/plain;
    server {
      listen 127.0.0.1:${port};
      location /tagged/ { alias ${folder}/; }
      location /dated/ { etag off; alias ${folder}/; }
      location /rangeless/ { max_ranges 0; alias ${folder}/; }
    }`
  nginx = await startNginx({ port, http })
})

afterAll(async () => {
  await nginx?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

function client(): SteadFetch {
  const fetch = createFetch({ resume: { baseMs: 1, capMs: 5 } })
  onTestFinished(() => fetch.close())
  return fetch
}

/** Statuses that nginx logged for a path, once there are that many. */
async function logged(uri: string, count: number): Promise<number[]> {
  const find = async (): Promise<number[]> =>
    (await nginx.logged()).filter((line) => line.uri === uri).map(({ status }) => status)
  await expect.poll(async () => (await find()).length).toBe(count)
  return find()
}

async function through(...cutBytes: number[]): Promise<LocalServer> {
  const proxy = await cuttingProxy(port, ...cutBytes)
  onTestFinished(() => proxy[Symbol.asyncDispose]())
  return proxy
}

test.each([
  ['its tag', '/tagged/new.txt'],
  ['its date, which is old', '/dated/old.txt'],
])('a download that is cut every 60,000 bytes is whole by %s', async (_what, path) => {
  const proxy = await through(60_000)
  const response = await client()(`${proxy.origin}${path}`)
  expect(await response.text()).toBe(text)
  const attempts = traceOf(response)?.attempts ?? []
  expect(attempts.length).toBeGreaterThan(Math.floor(text.length / 60_000))
  expect(attempts.map(({ status }) => status)).toEqual([200, ...attempts.slice(1).map(() => 206)])
  expect(await logged(path, attempts.length)).toEqual(attempts.map(({ status }) => status))
})

test('what is compressed without the option comes as it is stored, with a strong tag', async () => {
  const coded = await client()(`${origin}/tagged/old.txt`, { resume: false })
  expect(coded.headers.get('content-encoding')).toBe('gzip')
  expect(coded.headers.get('etag')).toMatch(/^W\//)
  expect(await coded.text()).toBe(text)
  const plain = await client()(`${origin}/tagged/old.txt`)
  expect(plain.headers.get('content-encoding')).toBeNull()
  expect(plain.headers.get('etag')).toMatch(/^"/)
  expect(await plain.text()).toBe(text)
})

test('a date of this very minute is no strong validator, and nothing is put behind it', async () => {
  const proxy = await through(60_000)
  const error = (await rejection((await client()(`${proxy.origin}/dated/new.txt`)).text())) as NetworkError
  expect(error).toMatchObject({ name: 'NetworkError', kind: 'truncated', attempts: 1 })
  expect(await logged('/dated/new.txt', 1)).toEqual([200])
})

test('a file that is replaced in the middle of its download ends it', async () => {
  const file = join(folder, 'replaced.txt')
  await writeFile(file, text)
  const proxy = await through(60_000)
  const response = await client()(`${proxy.origin}/tagged/replaced.txt`)
  await writeFile(file, `another ${text}`)
  const error = (await rejection(response.text())) as NetworkError
  expect(error.kind).toBe('truncated')
  expect(error.message).toContain('not resumed: representation changed, answered 200 (2 attempts')
})

test('from a server without ranges everything is sent again, and what was received is left out', async () => {
  const proxy = await through(60_000, text.length * 2)
  const response = await client()(`${proxy.origin}/rangeless/new.txt`)
  expect(await response.text()).toBe(text)
  expect(await logged('/rangeless/new.txt', 2)).toEqual([200, 200])
})

test("the caller's own conditions and ranges are answered as nginx answers them", async () => {
  const fetch = client()
  const target = `${origin}/tagged/old.txt`
  const first = await fetch(target)
  const etag = first.headers.get('etag') as string
  await first.body?.cancel()
  const unchanged = await fetch(target, { headers: { 'if-none-match': etag } })
  expect([unchanged.status, await unchanged.text()]).toEqual([304, ''])
  const part = await fetch(target, { headers: { range: 'bytes=5-9' } })
  expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([
    206,
    `bytes 5-9/${text.length}`,
    text.slice(5, 10),
  ])
  const parts = await fetch(target, { headers: { range: 'bytes=0-3,10-13' } })
  expect(parts.status).toBe(206)
  expect(parts.headers.get('content-type')).toMatch(/^multipart\/byteranges; boundary=/)
  expect((await parts.text()).match(/Content-Range: bytes \d+-\d+/g)).toEqual([
    'Content-Range: bytes 0-3',
    'Content-Range: bytes 10-13',
  ])
  const other = await fetch(target, { headers: { range: 'bytes=5-9', 'if-range': '"other"' } })
  expect([other.status, await other.text()]).toEqual([200, text])
  const beyond = await rejection(fetch(target, { headers: { range: `bytes=${text.length}-` } }))
  expect(beyond).toBeInstanceOf(RangeNotSatisfiableError)
})
