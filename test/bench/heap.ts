import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, DispatchOnly, Open } from './clients/client.ts'
import { collectGarbage, type Figures } from './measure.ts'

interface Held {
  /** Requests under way at once. */
  readonly requests: number
  readonly heldMs: number
}

/**
 * What a request that waits for its answer keeps in memory, its connection aside: that was there before. The idle
 * connection is told too, because some clients leave much of the last request with it and so add little for the next.
 */
export async function heapInFlight(client: Client, origin: string, { requests, heldMs }: Held): Promise<Figures> {
  const send = (delayMs: number): Promise<unknown>[] =>
    Array.from({ length: requests }, () => client.getJson(`${origin}/slow/${delayMs}`))
  await waitingAt(origin)
  const unconnected = await settledHeap()
  // Opens the connections, and lets every list grow to its size.
  for (let wave = 0; wave < 3; wave += 1) await Promise.all(send(300))
  const before = await settledHeap()
  const answers = send(heldMs)
  while ((await waitingAt(origin)) < requests) await sleep(20)
  const during = await settledHeap()
  if ((await waitingAt(origin)) < requests) throw new Error('an answer came before the memory was measured: hold them longer')
  await Promise.all(answers)
  return { heap: (during - before) / requests, connection: (before - unconnected) / requests }
}

/**
 * What a client itself keeps for a call, undici's queue and sockets left out: its dispatcher is a stub that never
 * answers. The handler counts, since undici would keep it.
 */
export async function heapOfOwnPart(open: Open, origin: string, calls: number): Promise<Figures> {
  const handlers = new KeptList(calls * 3)
  const answers = new KeptList(calls * 3)
  const stub: DispatchOnly = {
    dispatch(_options, handler) {
      handlers.add(handler)
      return true
    },
  }
  const client = open(origin, stub)
  const call = async (): Promise<void> => {
    for (let n = 0; n < calls; n += 1) answers.add(client.getJson(`${origin}/user`))
    // What a client does before it dispatches may take a few turns.
    await sleep(50)
  }
  await call()
  await call()
  const before = await settledHeap()
  await call()
  const during = await settledHeap()
  if (handlers.length !== calls * 3 || answers.length !== calls * 3) throw new Error('a call was not dispatched')
  return { own: (during - before) / calls }
}

/** Keeps values from being collected, in a list that has its full size at once and so does not count itself. */
class KeptList {
  readonly #values: unknown[]
  length = 0

  constructor(size: number) {
    this.#values = new Array(size).fill(undefined)
  }

  add(value: unknown): void {
    this.#values[this.length++] = value
  }
}

/** How many requests wait at the server; asked on a socket, so that no client is disturbed. */
async function waitingAt(origin: string): Promise<number> {
  const { hostname, port } = new URL(origin)
  const socket = connect(Number(port), hostname)
  socket.write('GET /waiting HTTP/1.1\r\n\r\n')
  const [answer] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return Number(answer.toString().split('\r\n\r\n')[1])
}

/** What is held by finalisers, or by timers that are just over, takes more than one collection. */
async function settledHeap(): Promise<number> {
  for (let time = 0; time < 5; time += 1) {
    collectGarbage()
    await sleep(20)
  }
  return process.memoryUsage().heapUsed
}
