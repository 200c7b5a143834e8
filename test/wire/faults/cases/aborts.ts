import type { Socket } from 'node:net'
import { pem } from '../../../support/tls.ts'
import { type Bench, type Fault, fault, pause, shown } from '../fault.ts'

const group = 'aborts'
const reason = new Error('not wanted any more')

/** Aborts a call after so long; the reason is to be thrown as it is, and soon. */
async function aborted(
  bench: Bench,
  target: string,
  afterMs: number,
  ask: object = {},
  client = bench.client,
): Promise<string | undefined> {
  const controller = new AbortController()
  if (afterMs < 0) controller.abort(reason)
  const calling = client.send(target, { signal: controller.signal, limitMs: bench.limitMs, ...ask })
  if (afterMs >= 0) await pause(afterMs)
  const startMs = performance.now()
  controller.abort(reason)
  const result = await calling
  if (result.kind !== 'error') return `got ${shown(result)}`
  if (bench.ours && result.error !== reason) return `threw ${shown(result)}`
  const ms = performance.now() - startMs
  return ms > 500 ? `took ${Math.round(ms)} ms more` : undefined
}

const silentOnce =
  (start: string) =>
  (socket: Socket): void =>
    void socket.write(start, 'latin1')

/** A call that its caller gives up, at every stage of it. */
export const aborts: readonly Fault[] = [
  fault(group, 'before it begins: nothing is sent', async (bench) => {
    const { origin, sockets } = await bench.raw((socket) => socket.end())
    const wrong = await aborted(bench, origin, -1)
    return wrong ?? (bench.ours && sockets.length > 0 ? 'a connection was opened' : undefined)
  }),
  fault(group, 'in the TLS handshake', async (bench) => {
    const { port } = await bench.raw(() => {})
    return aborted(bench, `https://127.0.0.1:${port}/`, 100)
  }),
  fault(group, 'while it waits for the answer', async (bench) => aborted(bench, (await bench.raw(() => {})).origin, 100)),
  fault(group, 'while it waits for the answer, over TLS', async (bench) =>
    aborted(bench, (await bench.tls(() => {})).origin, 100, { ca: pem('ca') }),
  ),
  fault(group, 'in the header section', async (bench) =>
    aborted(bench, (await bench.raw(silentOnce('HTTP/1.1 200 OK\r\nx-a'))).origin, 100),
  ),
  fault(group, 'after informational responses', async (bench) =>
    aborted(bench, (await bench.raw(silentOnce('HTTP/1.1 102 Processing\r\n\r\n'))).origin, 100),
  ),
  fault(group, 'in the content', async (bench) =>
    aborted(bench, (await bench.raw(silentOnce('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello'))).origin, 100),
  ),
  fault(group, 'in content that is coded', async (bench) =>
    aborted(
      bench,
      (await bench.raw(silentOnce('HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 100\r\n\r\n\x1f\x8b'))).origin,
      100,
    ),
  ),
  fault(
    group,
    'in the content of an error',
    async (bench) =>
      aborted(bench, (await bench.raw(silentOnce('HTTP/1.1 400 Bad\r\ncontent-length: 100\r\n\r\nhello'))).origin, 100),
    { realTime: true },
  ),
  fault(group, 'while content is sent', async (bench) => {
    const stream = async function* () {
      for (;;) {
        await pause(10)
        yield Buffer.alloc(1_000)
      }
    }
    const { origin } = await bench.raw(() => {})
    return aborted(bench, origin, 100, { method: 'POST', stream })
  }),
  fault(group, 'while it waits to be sent again', async (bench) => {
    const { origin, received } = await bench.raw((socket) =>
      socket.end('HTTP/1.1 503 No\r\nretry-after: 20\r\ncontent-length: 0\r\n\r\n'),
    )
    const client = bench.ours ? bench.open() : bench.client
    const wrong = await aborted({ ...bench, limitMs: undefined }, origin, 150, {}, client)
    return received.length > 1 ? `${received.length} requests` : wrong
  }),
  fault(group, 'at a redirect', async (bench) => {
    const { origin } = await bench.raw((socket, piece) => {
      if (piece.includes(' / ')) socket.end('HTTP/1.1 302 Found\r\nlocation: /next\r\ncontent-length: 0\r\n\r\n')
    })
    return aborted(bench, origin, 100)
  }),
  fault(
    group,
    'while it waits for a place among the requests under way',
    async (bench) => {
      const { origin, received } = await bench.raw(() => {})
      const client = bench.open({ concurrency: 1 })
      const first = aborted(bench, origin, 300, {}, client)
      const wrong = await aborted(bench, origin, 100, {}, client)
      return (await first) ?? wrong ?? (received.length > 1 ? 'it was sent' : undefined)
    },
    { oursAlone: true },
  ),
  fault(
    group,
    'while it waits at the gate of a paused origin',
    async (bench) => {
      const { origin, received } = await bench.raw((socket) =>
        socket.end('HTTP/1.1 429 Slow\r\nretry-after: 20\r\ncontent-length: 0\r\n\r\n'),
      )
      const client = bench.open()
      const first = aborted({ ...bench, limitMs: undefined }, origin, 1_500, {}, client)
      await pause(1_000)
      const wrong = await aborted({ ...bench, limitMs: undefined }, origin, 50, {}, client)
      return (await first) ?? wrong ?? (received.length > 1 ? `${received.length} requests` : undefined)
    },
    { oursAlone: true, realTime: true },
  ),
  fault(group, 'a hundred at once', async (bench) => {
    const { origin } = await bench.raw(() => {})
    const wrongs = await Promise.all(Array.from({ length: 100 }, () => aborted(bench, origin, 100)))
    return wrongs.find((wrong) => wrong !== undefined)
  }),
  fault(group, 'after its end changes nothing, and the next call is answered', async ({ client, limitMs, http }) => {
    const { origin } = await http((_request, response) => response.end('hello'))
    const controller = new AbortController()
    await client.send(origin, { signal: controller.signal, limitMs })
    controller.abort(reason)
    const result = await client.send(origin, { limitMs })
    return result.kind === 'response' && result.content === 'hello' ? undefined : shown(result)
  }),
]
