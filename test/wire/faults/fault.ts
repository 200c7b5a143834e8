import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

/** What a client is asked for, in words that every client has. */
export interface Ask {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Content as a stream that can be read once. */
  readonly stream?: () => AsyncIterable<Uint8Array>
  readonly signal?: AbortSignal
  /** Milliseconds for the whole call; the default of the client when undefined. */
  readonly limitMs?: number | undefined
  /** What is made of the body. */
  readonly read?: 'text' | 'json'
  /** Where the certificate of the test authority is to be trusted. */
  readonly ca?: string
}

/** What a call came to, once its body was read. */
export type Result =
  | { readonly kind: 'response'; readonly status: number; readonly content: unknown }
  /** `status` where the error is that of a response. */
  | { readonly kind: 'error'; readonly error: unknown; readonly status?: number | undefined }

/** A client of the table. Each case has one of its own. */
export interface FaultClient {
  send(target: string, ask: Ask): Promise<Result>
  /** Closes the connections that are kept; undefined where that cannot be done. */
  readonly close: (() => Promise<void> | void) | undefined
}

/** Makes a client; steadfetch alone takes options, which the cases that are about it give. */
export type OpenClient = (options?: object) => FaultClient

/** What was seen of one case, beside what its call came to. */
export interface Bench {
  readonly client: FaultClient
  /** The limit of the run: undefined where the client is to have its own. */
  readonly limitMs: number | undefined
  /** Makes a further client, closed with the others. */
  open(options?: object): FaultClient
  /** A server that speaks bytes: `answer` is called with each piece that arrives, and its number. */
  raw(answer: (socket: Socket, received: string, count: number) => void): Promise<Place>
  http(answer: (request: IncomingMessage, response: ServerResponse, count: number) => void): Promise<Place>
  /** A server of TLS whose bytes a case writes itself. */
  tls(answer: (socket: TLSSocket, received: string, count: number) => void, options?: object): Promise<Place>
  /** Whether the client is steadfetch. */
  readonly ours: boolean
}

/** A server of a case. */
export interface Place {
  readonly origin: string
  readonly port: number
  /** What arrived, piece by piece. */
  readonly received: string[]
  readonly sockets: readonly Socket[]
}

/** What is right: any of these. */
export interface Want {
  /** The content of a response with status 200, or with `status`. */
  readonly gets?: unknown
  readonly status?: number
  /** An error; of steadfetch with these members. */
  readonly fails?: Readonly<Record<string, unknown>>
}

/** One fault, and what is right. */
export interface Fault {
  readonly group: string
  readonly name: string
  /** About steadfetch alone: its options and its own policies. */
  readonly oursAlone?: true
  /** Must not run beside others: it changes what all share. */
  readonly alone?: true
  /** Looks at the clock of the machine: it says nothing about a client whose clock is another one. */
  readonly realTime?: true
  /** Resolves to what is wrong; undefined when all is right. */
  run(bench: Bench): Promise<string | undefined>
}

/** A fault of the most common form: one server, one call. */
export interface SimpleFault {
  readonly name: string
  /** What the server does with each piece that arrives: bytes to write and to end with, or a function. */
  readonly answer: string | ((socket: Socket, received: string, count: number) => void)
  readonly ask?: Ask
  readonly want: Want | readonly Want[]
  /** Most requests that may arrive. */
  readonly requests?: number
}

/** What is wrong with a result; undefined when it is one of those wanted. */
export function complaint(result: Result, want: Want | readonly Want[], ours: boolean): string | undefined {
  const wants = Array.isArray(want) ? (want as readonly Want[]) : [want as Want]
  return wants.some((one) => fits(result, one, ours)) ? undefined : `got ${shown(result)}`
}

function fits(result: Result, { gets, status, fails }: Want, ours: boolean): boolean {
  if (fails !== undefined) {
    if (result.kind !== 'error') return false
    const { error } = result
    return !ours || Object.entries(fails).every(([name, value]) => (Object(error) as Record<string, unknown>)[name] === value)
  }
  if (result.kind !== 'response' || result.status !== (status ?? 200)) return false
  return gets === undefined || JSON.stringify(result.content) === JSON.stringify(gets)
}

export function shown(result: Result): string {
  if (result.kind === 'response') return `${result.status} ${JSON.stringify(result.content)?.slice(0, 80)}`
  const { name, code, kind, message } = Object(result.error) as Record<string, unknown>
  return `${name} ${code ?? ''} ${kind ?? ''}: ${String(message).slice(0, 160)}`
}

/** The faults of a group that have one server and one call. */
export function simple(group: string, faults: readonly SimpleFault[]): Fault[] {
  return faults.map(({ name, answer, ask = {}, want, requests = 3 }) => ({
    group,
    name,
    async run(bench) {
      const { client, limitMs, ours } = bench
      const write = typeof answer === 'string' ? (socket: Socket) => void socket.end(answer, 'latin1') : answer
      const { origin, received } = await bench.raw(write)
      const result = await client.send(origin, { limitMs, ...ask })
      const wrong = complaint(result, want, ours)
      if (wrong !== undefined) return wrong
      const heads = received.filter((piece) => /^[A-Z]+ \S+ HTTP\/1\.1\r\n/.test(piece)).length
      return heads > requests ? `${heads} requests, ${requests} at most were right` : undefined
    },
  }))
}

/** A case that is written out. */
export function fault(group: string, name: string, run: Fault['run'], more: Partial<Fault> = {}): Fault {
  return { group, name, run, ...more }
}

/** Waits for real: sockets do not run on an injected clock. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
