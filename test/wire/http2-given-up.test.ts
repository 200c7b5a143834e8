import { execFile } from 'node:child_process'
import { constants } from 'node:http2'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { buildConnector } from 'undici'
import { expect, it } from 'vitest'
import type { Connector } from '../../src/index.ts'
import { codes, frameServer } from '../support/frames.ts'
import { h2Server, trusting } from '../support/tls.ts'
import { caught, client } from '../support/wire.ts'

it('a request that is given up resets its stream with CANCEL, and leaves the session to others', async () => {
  const codes: number[] = []
  await using server = await h2Server((request, response) => {
    request.stream.on('error', () => {}).on('close', () => codes.push(request.stream.rstCode))
    if (request.url === '/2') response.end('ok')
  })
  const api = client({ connect: trusting })
  const controller = new AbortController()
  const reason = new Error('enough')
  const outcome = caught(api(`${server.origin}/1`, { signal: controller.signal }))
  await expect.poll(() => server.requests).toHaveLength(1)
  controller.abort(reason)
  expect(await outcome).toBe(reason)
  await expect.poll(() => codes).toEqual([constants.NGHTTP2_CANCEL])
  expect(await (await api(`${server.origin}/2`)).text()).toBe('ok')
  expect(server.connections).toHaveLength(1)
})

/** In a process of its own: where this goes wrong, it turns in a circle for ever. */
const program = `
  const [origin, index, ca] = process.argv.slice(1)
  const { createFetch } = await import(index)
  const api = createFetch({ connect: { ca }, maxAttempts: 1 })
  const body = 'x'.repeat(300_000)
  let ended = 0
  const worker = async (first) => {
    for (let count = first; count < 600; count += 20) {
      const controller = new AbortController()
      const timer = setTimeout(() => controller.abort(), count % 30)
      await api(origin, { method: 'POST', body, signal: controller.signal }).catch(() => {})
      clearTimeout(timer)
      ended += 1
    }
  }
  await Promise.all(Array.from({ length: 20 }, (_none, first) => worker(first)))
  console.log(ended)
  process.exit()
`

it('uploads that are given up while their content waits for a window do not keep the process busy', async () => {
  await using server = await h2Server(({ stream }, response) => {
    stream.on('error', () => {}).resume()
    stream.on('end', () => response.end('ok'))
  })
  const index = fileURLToPath(new URL('../../src/index.ts', import.meta.url))
  const args = ['--input-type=module', '-e', program, server.origin, index, trusting.ca]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 15_000, killSignal: 'SIGKILL' })
  expect(stdout.trim()).toBe('600')
})

it.each([
  ['its source fails', (controller: ReadableStreamDefaultController) => controller.error(new Error('the source failed')), 0],
  ['the caller gives it up', () => {}, 40],
])('a part of an upload never looks whole to the server when %s', async (_when, then, abortMs) => {
  const ends: unknown[] = []
  await using server = await h2Server(({ stream }) => {
    let bytes = 0
    // Node.js tells of the end of what was cut short as well, after that of the reset.
    stream.on('error', () => {}).on('data', (part: Buffer) => (bytes += part.length))
    stream.on('end', () => ends.push([bytes, stream.aborted, stream.rstCode]))
  })
  const api = client({ connect: trusting })
  const parts = [new Uint8Array(50), new Uint8Array(50)]
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 5))
        const part = parts.shift()
        if (part === undefined) then(controller)
        else controller.enqueue(part)
      },
    },
    { highWaterMark: 0 },
  )
  const controller = new AbortController()
  if (abortMs > 0) setTimeout(() => controller.abort(), abortMs)
  await caught(api(server.origin, { method: 'POST', body, duplex: 'half', signal: controller.signal }))
  await expect.poll(() => ends).toEqual([[100, true, constants.NGHTTP2_CANCEL]])
  expect(server.requests).toHaveLength(1)
})

it.each([
  ['of an ordinary request', {}],
  ['of one that asks before it sends its content', { method: 'POST', body: 'x', expectContinue: { afterMs: 10 } }],
])('the socket of a session that is over is closed, although its server never answers to that: %s', async (_what, init) => {
  await using server = await frameServer((session, stream) => {
    session.goaway(stream, codes.NO_ERROR)
    session.answer(stream, 'ok')
    // It does not see that the client is gone.
    session.socket.pause()
  })
  const sockets: Socket[] = []
  const open = buildConnector({ ca: trusting.ca, allowH2: true })
  const connect: Connector = (target, done) =>
    open(target as buildConnector.Options, (...result) => {
      if (result[1] !== null) sockets.push(result[1])
      ;(done as buildConnector.Callback)(...result)
    })
  const api = client({ connect })
  for (let count = 0; count < 3; count += 1) expect(await (await api(server.origin, init)).text()).toBe('ok')
  expect(sockets).toHaveLength(3)
  await expect.poll(() => sockets.map(({ destroyed }) => destroyed), { timeout: 10_000 }).toEqual([true, true, true])
})
