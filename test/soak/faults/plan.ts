// What a call of the fault soak is to do, drawn by chance.
import type { SteadInit } from 'steadfetch'
import type { Chance } from './chance.ts'
import type { Clients } from './clients.ts'
import { uploadOf } from './content.ts'
import { type Read, reads } from './reads.ts'

/** A call to be made. */
export interface Plan {
  readonly client: string
  readonly target: string
  readonly key: string
  readonly method: string
  readonly init: SteadInit
  readonly reading: string
  readonly read: Read
  /** Milliseconds by which it has to have ended. */
  readonly limitMs: number
  /** Milliseconds after which the caller gives up; undefined when it does not. */
  readonly abortMs: number | undefined
}

/** Nobody but the caller throws it. */
export class Thrown extends Error {}

const plainOrigins = ['plain 1', 'plain 2', 'plain 3'] as const
const securedOrigins = ['http2', 'http2', 'http2', 'tls', 'tls', 'of another name', 'no TLS', 'closing', 'mute'] as const
/** Keys that many calls share. */
const sharedKeys = 40

function targetOf(client: string, id: number, chance: Chance, origins: Readonly<Record<string, string>>): [string, string] {
  const origin = client.startsWith('secure') ? chance.of(securedOrigins) : chance.once(40) ? 'refused' : chance.of(plainOrigins)
  const usual = chance.once(6) ? 'good' : 'any'
  const route =
    client === 'flows'
      ? chance.of(['token', 'accepted', 'any'])
      : client === 'caching'
        ? chance.of(['cached', 'range', usual])
        : usual
  const key = route === 'cached' ? `shared-${chance.below(sharedKeys)}` : `${route}-${id}`
  return [`${origins[origin]}/${route}/${key}`, key]
}

const methods = [
  'GET',
  'GET',
  'GET',
  'GET',
  'GET',
  'GET',
  'HEAD',
  'DELETE',
  'OPTIONS',
  'POST',
  'POST',
  'POST',
  'PUT',
  'PUT',
] as const

/** A stream of parts, some of which take their time; now and then it fails. */
function streamOf(text: string, chance: Chance): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text)
  const size = Math.max(1, Math.ceil(bytes.length / 4))
  const [delayMs, fails] = [chance.of([0, 0, 5, 30]), chance.once(12)]
  let at = 0
  return new ReadableStream(
    {
      async pull(controller) {
        if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs))
        if (fails && at > 0) throw new Thrown('the source failed')
        if (at >= bytes.length) return controller.close()
        controller.enqueue(bytes.subarray(at, at + size))
        at += size
      },
    },
    { highWaterMark: 0 },
  )
}

function upload(key: string, chance: Chance): SteadInit {
  const text = uploadOf(key)
  const exact = { 'x-upload': 'exact' }
  const form = new FormData()
  form.set('file', new File([text], 'upload.json'))
  const inits: readonly (() => SteadInit)[] = [
    () => ({ body: text, headers: exact }),
    () => ({ body: new TextEncoder().encode(text), headers: exact }),
    () => ({ json: JSON.parse(text) as unknown, headers: exact }),
    () => ({ body: new Blob([text]), headers: exact }),
    () => ({ body: form, headers: { 'x-upload': 'form' } }),
    () => ({ body: streamOf(text, chance), duplex: 'half', headers: exact }) as SteadInit,
  ]
  return chance.of(inits)()
}

/** What a call may ask for beside its method and content. */
function extras(chance: Chance, method: string, client: string): SteadInit {
  const uploads = method === 'POST' || method === 'PUT'
  return {
    ...(chance.once(4) ? { attemptTimeoutMs: 50 + chance.below(400) } : {}),
    ...(chance.once(4) ? { idleTimeoutMs: 30 + chance.below(300) } : {}),
    ...(chance.once(5) ? { maxAttempts: 1 + chance.below(5) } : {}),
    ...(chance.once(12) ? { maxResponseBytes: chance.below(5_000) } : {}),
    ...(chance.once(8) ? { resume: { baseMs: 2, capMs: 20 } } : {}),
    ...(chance.once(12) ? { redirect: chance.of(['manual', 'error'] as const) } : {}),
    ...(chance.once(20) ? { onInformation: listener(chance) } : {}),
    ...(chance.once(20) ? { onDownloadProgress: listener(chance) } : {}),
    ...(chance.once(30) ? { integrity: `sha256-${'A'.repeat(43)}=` } : {}),
    ...(uploads && chance.once(12) ? { onUploadProgress: listener(chance) } : {}),
    ...(uploads && chance.once(6) ? { idempotencyKey: true } : {}),
    ...(uploads && chance.once(10) && client !== 'standard' ? { expectContinue: { afterMs: 20 } } : {}),
  }
}

/** Tells nobody; now and then it throws. */
function listener(chance: Chance): () => void {
  const throws = chance.once(5)
  return () => {
    if (throws) throw new Thrown('the listener threw')
  }
}

/** Draws a call. */
export function planOf(id: number, chance: Chance, clients: Clients, origins: Readonly<Record<string, string>>): Plan {
  const client = chance.of(Object.keys(clients))
  const [target, key] = targetOf(client, id, chance, origins)
  const method = key.startsWith('shared') ? 'GET' : chance.of(methods)
  const timeoutMs = 100 + chance.below(chance.once(4) ? 3_000 : 900)
  // The standard client has no limits of its own: its callers give up.
  const abortMs = client === 'standard' ? timeoutMs : chance.once(5) ? chance.below(300) : undefined
  const [reading, read] = reads.draw(chance)
  const init: SteadInit = {
    method,
    ...(client === 'standard' ? {} : { timeoutMs }),
    ...(method === 'POST' || method === 'PUT' ? upload(key, chance) : {}),
    ...extras(chance, method, client),
  }
  return { client, target, key, method, init, reading, read, limitMs: Math.min(timeoutMs, abortMs ?? timeoutMs), abortMs }
}
