import { describe, expect, it } from 'vitest'
import { createFetch, type SteadFetch, type SteadInit } from '../../src/index.ts'
import { caught } from '../support/wire.ts'

const part = new Uint8Array(16_777_216)
const limit = 524_288_000
const target = 'https://a.example/'

/** Content of the same part over and over, without end; how much of it was taken, and whether it was let go. */
function endless(init: SteadInit = {}): { call: ReturnType<SteadFetch>; taken: () => number; cancelled: () => unknown } {
  let taken = 0
  let reason: unknown
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(controller) {
        taken += part.byteLength
        if (taken > 2 * limit) controller.error(new Error('taken too far'))
        else controller.enqueue(part)
      },
      cancel: (error) => {
        reason = error
      },
    },
    { highWaterMark: 0 },
  )
  const api = createFetch({ transport: async () => new Response(body) })
  return { call: api(target, init), taken: () => taken, cancelled: () => reason }
}

describe('content without end', () => {
  it.each(['text', 'json', 'bytes', 'arrayBuffer', 'blob', 'formData'] as const)(
    'that is read whole by %s() is refused beyond 500 MiB, and its source let go',
    async (read) => {
      const { call, taken, cancelled } = endless()
      const error = await caught((await call)[read]())
      expect(error).toMatchObject({ name: 'BodyError', kind: 'too large', code: 'ERR_STEADFETCH_BODY_TOO_LARGE' })
      expect((error as Error).message).toContain('larger than 524288000 bytes, and maxResponseBytes does not say that it may be')
      expect(cancelled()).toBeDefined()
      expect(taken()).toBeLessThan(limit + 3 * part.byteLength)
    },
  )

  it('is refused as well where its integrity is to be checked', async () => {
    const { call, cancelled } = endless({ integrity: `sha256-${'A'.repeat(43)}=` })
    expect(await caught(call)).toMatchObject({ name: 'BodyError', kind: 'too large' })
    expect(cancelled()).toBeDefined()
  })

  it.each([false, 10 * limit] as const)('is collected for as long as maxResponseBytes allows: %s', async (maxResponseBytes) => {
    const { call, taken } = endless({ maxResponseBytes })
    expect(await caught((await call).text())).not.toMatchObject({ kind: 'too large' })
    expect(taken()).toBeGreaterThan(2 * limit)
  })

  it('is no trouble as a stream', async () => {
    const { call, taken } = endless()
    let read = 0
    for await (const piece of (await call).body ?? []) {
      read += (piece as Uint8Array).byteLength
      if (read > limit + part.byteLength) break
    }
    expect(taken()).toBeGreaterThan(limit)
  })
})
