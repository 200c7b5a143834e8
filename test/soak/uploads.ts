// The uploads of the soak. They go to an origin whose connections last, for most of them are sent once.
import { equal, ok } from 'node:assert/strict'
import type { SteadInit } from 'steadfetch'
import { marker } from './content.ts'
import type { Kind } from './kinds.ts'

interface Uploaded {
  readonly bytes: number
  readonly whole: boolean
  readonly type: string | null
}

const encoder = new TextEncoder()
const padding = 'p'.repeat(8_000)

/** A stream of three parts. */
function stream(): ReadableStream<Uint8Array> {
  const parts = [padding, marker, padding]
  return new ReadableStream({
    pull(controller) {
      const part = parts.shift()
      if (part === undefined) controller.close()
      else controller.enqueue(encoder.encode(part))
    },
  })
}

function form(): FormData {
  const data = new FormData()
  data.set('field', marker)
  data.set('file', new File([padding], 'padding.txt', { type: 'text/plain' }))
  return data
}

const upload =
  (init: () => SteadInit, type: RegExp): Kind =>
  async ({ api, lasting, shared, id }) => {
    const response = await api(`${lasting}/upload/${id}`, { method: 'POST', signal: shared, ...init() })
    equal(response.status, 201)
    const uploaded = (await response.json()) as Uploaded
    ok(uploaded.whole && type.test(String(uploaded.type)), JSON.stringify(uploaded))
  }

/** How often each kind of upload is taken, and what it is. */
export const uploads: Readonly<Record<string, readonly [weight: number, kind: Kind]>> = {
  'upload of JSON': [4, upload(() => ({ json: { marker } }), /^application\/json/)],
  'upload of a stream': [2, upload(() => ({ body: stream(), duplex: 'half' }) as SteadInit, /^null$/)],
  'upload of FormData': [2, upload(() => ({ body: form() }), /^multipart\/form-data; boundary=/)],
  'upload of a Blob': [2, upload(() => ({ body: new Blob([padding, marker], { type: 'text/plain' }) }), /^text\/plain/)],
}
