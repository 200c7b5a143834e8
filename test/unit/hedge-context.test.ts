import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import { expect, test } from 'vitest'
import { createFetch, remainingMs, withDeadline } from '../../src/index.ts'
import { rejection } from '../support/client.ts'
import { FakeClock } from '../support/fake-clock.ts'

/** Its timers run in the context in which they were armed, as those of the machine do. */
class ContextClock extends FakeClock {
  constructor() {
    super()
    const { after } = this
    this.after = (ms, run) => after(ms, AsyncResource.bind(run))
  }
}

test('a hedge is sent in the context of its own call, and under no deadline of another one', async () => {
  const callers = new AsyncLocalStorage<string>()
  const clock = new ContextClock()
  const seen: [string, string | undefined, number][] = []
  const fetch = createFetch({
    clock,
    hedge: { afterMs: 100 },
    transport: (target, init) => {
      seen.push([new URL(target).pathname, callers.getStore(), remainingMs()])
      return new Promise((_, reject) => init.signal?.addEventListener('abort', () => reject(init.signal?.reason)))
    },
  })
  const a = callers.run('a', () => withDeadline(120, () => rejection(fetch('https://api.test/a')), { clock }))
  await clock.advance(10)
  const b = callers.run('b', () => rejection(fetch('https://api.test/b', { timeoutMs: 5_000 })))
  await clock.advance(5_000)
  await Promise.all([a, b])
  expect(seen).toEqual([
    ['/a', 'a', 120],
    ['/b', 'b', 5_000],
    ['/a', 'a', 20],
    ['/b', 'b', 4_900],
  ])
})
