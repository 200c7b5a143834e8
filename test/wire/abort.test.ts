import { spawn } from 'node:child_process'
import { getEventListeners, once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { retry } from '../../src/index.ts'
import { httpServer, type LocalServer } from '../support/server.ts'
import { caught, client, inTurn, keepingServer } from '../support/wire.ts'

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length

async function expectClosed(server: LocalServer): Promise<void> {
  await expect.poll(() => server.connections.every((socket) => socket.destroyed)).toBe(true)
}

const reasons: [string, unknown][] = [
  ['an Error', new Error('enough')],
  ['a string', 'enough'],
  ['null', null],
  ['an object', { code: 'ECONNRESET' }],
]

describe('an abort', () => {
  it.each(reasons)('before the call rejects with the reason itself, %s, and sends nothing', async (_name, reason) => {
    await using server = await httpServer((_request, response) => response.end())
    expect(await caught(client()(server.origin, { signal: AbortSignal.abort(reason) }))).toBe(reason)
    expect(server.requests).toEqual([])
    expect(server.connections).toHaveLength(0)
  })

  it.each(reasons)(
    'while the answer is waited for rejects with the reason itself, %s, and is not repeated',
    async (_name, reason) => {
      const aborter = new AbortController()
      await using server = await httpServer(() => aborter.abort(reason))
      expect(await caught(client()(server.origin, { signal: aborter.signal }))).toBe(reason)
      expect(listeners(aborter.signal)).toBe(0)
      await expectClosed(server)
      expect(server.requests).toHaveLength(1)
    },
  )

  it.each(reasons)('during a back-off rejects at once with the reason itself, %s', async (_name, reason) => {
    const aborter = new AbortController()
    await using server = await httpServer((_request, response) => {
      response.writeHead(500).end()
      setTimeout(() => aborter.abort(reason), 50)
    })
    const startMs = performance.now()
    const slow = client({ on: { 500: retry({ baseMs: 20_000, capMs: 20_000 }) }, random: () => 0.9 })
    expect(await caught(slow(server.origin, { signal: aborter.signal }))).toBe(reason)
    expect(performance.now() - startMs).toBeLessThan(1_000)
    expect(listeners(aborter.signal)).toBe(0)
    expect(server.requests).toHaveLength(1)
  })

  it.each(reasons)('in the middle of the body rejects the reading with the reason itself, %s', async (_name, reason) => {
    const aborter = new AbortController()
    await using server = await httpServer((_request, response) => response.writeHead(200).write('start'))
    const api = client()
    const whole = await api(server.origin, { signal: aborter.signal })
    const streamed = await api(server.origin, { signal: aborter.signal })
    const reader = streamed.body?.getReader() ?? expect.unreachable()
    await reader.read()
    setTimeout(() => aborter.abort(reason), 50)
    expect(await caught(whole.text())).toBe(reason)
    expect(await caught(reader.read())).toBe(reason)
    expect(listeners(aborter.signal)).toBe(0)
    expect(server.requests).toHaveLength(2)
    await expectClosed(server)
  })

  it('while content is sent stops the source and closes the connection', async () => {
    const aborter = new AbortController()
    await using server = await httpServer((request) => request.once('data', () => aborter.abort('enough')))
    let stopped: unknown
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 5))
        controller.enqueue(new Uint8Array(1_000))
      },
      cancel(reason) {
        stopped = reason
      },
    })
    expect(await caught(client()(server.origin, { method: 'PUT', body, duplex: 'half', signal: aborter.signal }))).toBe('enough')
    await expect.poll(() => stopped).toBe('enough')
    await expectClosed(server)
  })

  it('of a Request and by AbortSignal.timeout count too', async () => {
    await using server = await httpServer(() => {})
    const aborter = new AbortController()
    setTimeout(() => aborter.abort(), 50)
    const aborted = await caught(client()(new Request(server.origin, { signal: aborter.signal })))
    expect(aborted).toMatchObject({ name: 'AbortError' })
    const signal = AbortSignal.timeout(50)
    expect(await caught(client()(server.origin, { signal }))).toBe(signal.reason)
    expect(server.requests).toHaveLength(2)
  })
})

describe('the listeners on the signal', () => {
  it.each([
    ['a body that was read', 200, {}],
    ['a body that was not', 200, {}],
    ['a response without a body', 204, {}],
    ['an error', 404, {}],
    ['an error after retries', 500, {}],
    ['a redirect that is refused', 302, { location: 'ftp://a/' }],
  ])('are gone after %s', async (name, status, headers) => {
    await using server = await httpServer((_request, response) =>
      response.writeHead(status, headers).end(status === 204 ? '' : 'x'),
    )
    const { signal } = new AbortController()
    const api = client()
    for (let count = 0; count < 5; count += 1) {
      const response = await api(server.origin, { signal }).catch(() => undefined)
      if (name === 'a body that was read') await response?.text()
    }
    await expect.poll(() => listeners(signal)).toBe(0)
    expect(server.requests.length).toBeGreaterThanOrEqual(5)
  })

  it('are gone when a stream was cancelled', async () => {
    await using server = await httpServer((_request, response) => response.writeHead(200).write('start'))
    const { signal } = new AbortController()
    const response = await client()(server.origin, { signal })
    expect(listeners(signal)).toBe(1)
    await response.body?.cancel()
    expect(listeners(signal)).toBe(0)
    await expectClosed(server)
  })
})

describe('a process', () => {
  it.each([
    ['an unread small response', '', 0],
    ['a response that was read', 'await response.text()', 0],
  ])('with %s ends by itself', async (_name, reading, code) => {
    await using server = await keepingServer(inTurn(503, 200))
    const folder = await mkdtemp(join(tmpdir(), 'wire-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const script = join(folder, 'script.ts')
    const source = new URL('../../src/index.ts', import.meta.url).href
    const lines = [
      `import { fetch } from ${JSON.stringify(source)}`,
      `const response = await fetch(${JSON.stringify(server.origin)})`,
    ]
    await writeFile(script, [...lines, reading, 'console.log(response.status)'].join('\n'))
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (data) => {
      output += data
    })
    let printedMs = 0
    child.stdout.once('data', () => {
      printedMs = performance.now()
    })
    const [exitCode] = await once(child, 'close')
    expect([exitCode, output.trim()]).toEqual([code, '200'])
    expect(performance.now() - printedMs).toBeLessThan(1_500)
    expect(server.requests).toEqual(['GET /', 'GET /'])
  })
})
