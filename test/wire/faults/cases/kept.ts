import type { Socket } from 'node:net'
import { complaint, type Fault, fault, pause, type Result } from '../fault.ts'

const ok = (content: string): string => `HTTP/1.1 200 OK\r\ncontent-length: ${content.length}\r\n\r\n${content}`
const group = 'kept connections'

/** A first request that is answered, some time, and a second one: what that gets, and how many of it arrived. */
async function second(
  bench: Parameters<Fault['run']>[0],
  answers: {
    first: (socket: Socket) => void
    second?: (socket: Socket, ofFirst: boolean) => void
    idleMs?: number
    method?: string
  },
): Promise<{ result: Result; arrived: number }> {
  const { client, limitMs, raw } = bench
  let firstSocket: Socket | undefined
  let arrived = 0
  const { origin } = await raw((socket, piece) => {
    if (piece.includes(' /first')) {
      firstSocket = socket
      answers.first(socket)
    } else if (piece.includes(' /second')) {
      arrived += 1
      if (answers.second === undefined) socket.write(ok('second'))
      else answers.second(socket, socket === firstSocket)
    }
  })
  await client.send(`${origin}/first`, { limitMs })
  await pause(answers.idleMs ?? 100)
  const { method = 'GET' } = answers
  const result = await client.send(`${origin}/second`, { limitMs, method, ...(method === 'POST' ? { body: 'x' } : {}) })
  return { result, arrived }
}

/** Connections that are used again, or must not be: RFC 9112 §9. */
export const kept: readonly Fault[] = [
  ...(['GET', 'POST'] as const).map((method) =>
    fault(group, `closed while idle: a ${method} goes over another one`, async (bench) => {
      const { result } = await second(bench, { first: (socket) => socket.end(ok('first')), method })
      return complaint(result, { gets: 'second' }, bench.ours)
    }),
  ),
  ...(['GET', 'POST'] as const).map((method) =>
    fault(group, `reset while idle: a ${method} goes over another one`, async (bench) => {
      const first = (socket: Socket): void => {
        socket.write(ok('first'))
        setTimeout(() => socket.resetAndDestroy(), 30)
      }
      const { result } = await second(bench, { first, method })
      return complaint(result, { gets: 'second' }, bench.ours)
    }),
  ),
  fault(group, 'closed as a GET arrives: it is sent again', async (bench) => {
    const { result } = await second(bench, {
      first: (socket) => socket.write(ok('first')),
      second: (socket, ofFirst) => (ofFirst ? socket.destroy() : socket.write(ok('second'))),
    })
    return complaint(result, { gets: 'second' }, bench.ours)
  }),
  fault(group, 'closed as a POST arrives: it is not', async (bench) => {
    const { result, arrived } = await second(bench, {
      first: (socket) => socket.write(ok('first')),
      second: (socket, ofFirst) => (ofFirst ? socket.destroy() : socket.write(ok('second'))),
      method: 'POST',
    })
    if (arrived > 1) return `${arrived} times`
    return complaint(result, { fails: { name: 'NetworkError', kind: 'reset' } }, bench.ours)
  }),
  ...([0, 30] as const).map((ms) =>
    fault(
      group,
      `an answer that nobody asked for, ${ms === 0 ? 'with the first one' : 'later'}: it answers nobody`,
      async (bench) => {
        const first = (socket: Socket): void => {
          if (ms === 0) socket.write(ok('first') + ok('poison'))
          else {
            socket.write(ok('first'))
            setTimeout(() => socket.write(ok('poison')), ms)
          }
        }
        const { result } = await second(bench, { first })
        return complaint(result, { gets: 'second' }, bench.ours)
      },
    ),
  ),
  fault(group, 'a half of an answer that nobody asked for', async (bench) => {
    const first = (socket: Socket): void => {
      socket.write(`${ok('first')}HTTP/1.1 200 OK\r\ncontent-le`)
    }
    const { result } = await second(bench, { first })
    return complaint(result, { gets: 'second' }, bench.ours)
  }),
  fault(group, 'garbage after an answer', async (bench) => {
    const { result } = await second(bench, { first: (socket) => socket.write(`${ok('first')}\0\0garbage`) })
    return complaint(result, { gets: 'second' }, bench.ours)
  }),
  fault(group, 'line ends after an answer', async (bench) => {
    const { result } = await second(bench, { first: (socket) => socket.write(`${ok('first')}\r\n\r\n`) })
    return complaint(result, { gets: 'second' }, bench.ours)
  }),
  fault(group, 'a 408 on an idle connection, and its close (RFC 9110 §15.5.9)', async (bench) => {
    const first = (socket: Socket): void => {
      socket.write(ok('first'))
      setTimeout(() => socket.end('HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'), 30)
    }
    const { result } = await second(bench, { first })
    return complaint(result, { gets: 'second' }, bench.ours)
  }),
  fault(group, 'Connection: close, although it is left open', async (bench) => {
    const first = (socket: Socket): void =>
      void socket.write('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nfirst')
    const { result } = await second(bench, { first, second: (socket, ofFirst) => socket.write(ok(ofFirst ? 'same' : 'second')) })
    return complaint(result, { gets: 'second' }, bench.ours)
  }),
  fault(group, 'HTTP/1.0 without keep-alive, although it is left open', async (bench) => {
    const first = (socket: Socket): void => void socket.write('HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nfirst')
    const { result } = await second(bench, { first, second: (socket, ofFirst) => socket.write(ok(ofFirst ? 'same' : 'second')) })
    return complaint(result, { gets: 'second' }, bench.ours)
  }),
  fault(group, 'a Keep-Alive timeout that has passed', async (bench) => {
    const first = (socket: Socket): void => {
      socket.write('HTTP/1.1 200 OK\r\nkeep-alive: timeout=1\r\ncontent-length: 5\r\n\r\nfirst')
      setTimeout(() => socket.destroy(), 1_000)
    }
    const { result } = await second(bench, { first, method: 'POST', idleMs: 1_010 })
    return complaint(result, { gets: 'second' }, bench.ours)
  }),
  fault(group, 'a body that nobody reads holds nobody up', async ({ client, limitMs, http, ours }) => {
    const { origin } = await http(({ url }, response) => {
      if (url === '/error') response.writeHead(404).write('a'.repeat(100_000))
      else response.end('hello')
    })
    for (let count = 0; count < 20; count += 1) await client.send(`${origin}/error`, { limitMs })
    return complaint(await client.send(origin, { limitMs }), { gets: 'hello' }, ours)
  }),
]
