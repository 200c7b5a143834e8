import { type ClientOptions, createFetch, type SteadFetch } from '../../src/index.ts'
import { FakeClock } from './fake-clock.ts'
import { type Sent, scripted } from './scripted-transport.ts'

/** A client on a fake clock whose chance is always a half, and whose transport follows a script. */
export function clientOf(
  replies: Parameters<typeof scripted>[1][],
  options: ClientOptions = {},
): {
  fetch: SteadFetch
  clock: FakeClock
  sent: Sent[]
} {
  const clock = new FakeClock()
  const { transport, sent } = scripted(clock.now, ...replies)
  const fetch = createFetch({ transport, clock, random: () => 0.5, ...options })
  return { fetch, clock, sent }
}

/** The milliseconds between one request and the next. */
export function gaps(sent: readonly Sent[]): number[] {
  return sent.slice(1).map((request, index) => request.atMs - (sent[index] as Sent).atMs)
}

/** What a promise is rejected with; fails when it is not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('the promise was not rejected')
}
