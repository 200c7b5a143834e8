import { describe, expect, test } from 'vitest'
import { VirtualClock } from './clock.ts'
import { breaker, retryQuota, retryThrottling } from './guards.ts'
import { peer } from './peer.ts'
import { peers } from './peers.ts'
import type { Answer } from './site.ts'

/** The moments, in milliseconds, at which one call of a peer sends its requests, when all get the same answer at once. */
async function sent(name: keyof typeof peers, answer: Answer | 'silence'): Promise<number[]> {
  const clock = new VirtualClock()
  const moments: number[] = []
  const fetch = peer(peers[name])({
    clock,
    random: () => 0.5,
    servers: 1,
    send: (_call, _server, answered) => {
      moments.push(clock.now())
      if (answer !== 'silence') clock.after(0, () => answered(answer))
    },
  })
  const call = fetch(0)
  await clock.run(() => false)
  expect(await call).toBe(false)
  return moments
}

describe('a peer sends its requests', () => {
  test.for([
    ['none', 'refused', [0]],
    ['ky', 'refused', [0, 300, 900]],
    ['ky', 'silence', [0]],
    ['ky', { status: 429, retryAfterS: 2 }, [0, 2_000, 4_000]],
    ['got', 'refused', [0, 1_050, 3_100]],
    ['got', 'silence', [0, 2_050, 5_100]],
    ['axios-retry', { status: 503 }, [0, 0, 0, 0]],
    ['axios-retry', { status: 429 }, [0]],
    ['RetryAgent', 'refused', [0, 500, 1_500, 3_500, 7_500, 15_500]],
    ['RetryAgent', { status: 429, retryAfterS: 60 }, [0, 30_000, 60_000, 90_000, 120_000, 150_000]],
    ['AWS', { status: 503 }, [0, 25, 75]],
    ['AWS', { status: 429, retryAfterS: 2 }, [0, 500, 1_500]],
    ['gRPC', { status: 503 }, [0, 100, 300, 700]],
    ['gRPC', { status: 500 }, [0]],
    ['.NET', { status: 500 }, [0, 2_000, 6_000, 14_000]],
  ] as const)('%s: answered by %j', async ([name, answer, moments]) => {
    expect(await sent(name, answer)).toEqual(moments)
  })
})

test('the quota of AWS pays 35 retries in a row, and a success gives back what its own had cost', () => {
  const quota = retryQuota()
  const paid = Array.from({ length: 36 }, () => quota.pay?.('refused'))
  expect(paid.filter((cost) => cost === 14)).toHaveLength(35)
  expect(paid.at(-1)).toBeUndefined()
  quota.saw?.({ status: 200 }, 14)
  expect(quota.pay?.('refused')).toBe(14)
})

test('the throttling of gRPC stops retries after five failures, until there were enough successes', () => {
  const throttling = retryThrottling()
  const paid = Array.from({ length: 6 }, () => {
    throttling.saw?.('refused', undefined)
    return throttling.pay?.('refused')
  })
  expect(paid).toEqual([1, 1, 1, 1, undefined, undefined])
  for (let success = 0; success < 15; success += 1) throttling.saw?.({ status: 200 }, undefined)
  expect(throttling.pay?.('refused')).toBe(1)
})

test('the breaker opens at a tenth of a hundred attempts, and lets one probe through after 5 s', () => {
  let nowMs = 0
  const guard = breaker(() => nowMs)
  const see = (status: number, times: number): void => {
    for (let attempt = 0; attempt < times; attempt += 1) guard.saw?.({ status }, undefined)
  }
  see(200, 90)
  see(500, 9)
  expect(guard.admits?.()).toBe(true)
  see(500, 1)
  expect(guard.admits?.()).toBe(false)
  nowMs = 5_000
  expect([guard.admits?.(), guard.admits?.()]).toEqual([true, false])
  see(500, 1)
  expect(guard.admits?.()).toBe(false)
  nowMs = 10_000
  guard.admits?.()
  see(200, 1)
  expect(guard.admits?.()).toBe(true)
})
