import { createFetch } from '../../../../src/index.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { complaint, type Fault, fault, pause, shown } from '../fault.ts'

const waits = 'waiting'
/** The wall time of a fake clock when a test begins. */
const nowMs = Date.UTC(2026, 0, 1)
const imf = (ms: number): string => new Date(ms).toUTCString()

/** What the server asks for, and how long it is waited for; undefined where the answer is thrown at once. */
const forms: readonly (readonly [string, Record<string, string>, readonly [number, number] | undefined])[] = [
  ['0', { 'retry-after': '0' }, [0, 200]],
  ['seconds', { 'retry-after': '2' }, [2_000, 2_400]],
  ['seconds with spaces', { 'retry-after': '  2  ' }, [2_000, 2_400]],
  ['an IMF-fixdate', { 'retry-after': imf(nowMs + 3_000), date: imf(nowMs) }, [3_000, 3_600]],
  ['an RFC 850 date', { 'retry-after': 'Thursday, 01-Jan-26 00:00:03 GMT', date: imf(nowMs) }, [3_000, 3_600]],
  ['an asctime date', { 'retry-after': 'Thu Jan  1 00:00:03 2026', date: imf(nowMs) }, [3_000, 3_600]],
  ['a date in the past', { 'retry-after': imf(nowMs - 60_000), date: imf(nowMs) }, [0, 200]],
  [
    'a date by a clock that is wrong by a day',
    { 'retry-after': imf(nowMs + 86_403_000), date: imf(nowMs + 86_400_000) },
    [3_000, 3_600],
  ],
  ['a negative number', { 'retry-after': '-5' }, [0, 200]],
  ['a fraction', { 'retry-after': '1.5' }, [1_500, 1_800]],
  ['nonsense', { 'retry-after': 'soon' }, [0, 200]],
  ['nothing', { 'retry-after': '' }, [0, 200]],
  ['a number and nonsense', { 'retry-after': '2; please' }, [0, 200]],
  ['more than the call has left', { 'retry-after': '50' }, undefined],
  ['a day', { 'retry-after': '86400' }, undefined],
  ['2^31 milliseconds', { 'retry-after': '2147484' }, undefined],
  ['2^63 seconds', { 'retry-after': '9223372036854775808' }, undefined],
  ['400 digits', { 'retry-after': '9'.repeat(400) }, undefined],
  ['1e9', { 'retry-after': '1e9' }, [0, 200]],
  ['hexadecimal', { 'retry-after': '0x10' }, [0, 200]],
  ['infinity', { 'retry-after': 'Infinity' }, [0, 200]],
]

const retryAfter = (status: number, [form, headers, range]: (typeof forms)[number]): Fault =>
  fault(
    'Retry-After',
    `${status}: ${form}`,
    async () => {
      const clock = new FakeClock(nowMs)
      const sentMs: number[] = []
      const transport = async (): Promise<Response> => {
        sentMs.push(clock.now())
        return sentMs.length === 1 ? new Response('', { status, headers }) : new Response('hello')
      }
      const api = createFetch({ clock, transport, random: () => 0.999 })
      const startMs = clock.now()
      const calling = api('http://127.0.0.1:65000/').then(
        async (response): Promise<string> => response.text(),
        (error: { status?: number }) => error.status,
      )
      const came = await clock.drive(calling)
      if (clock.armed > 0) return `${clock.armed} timers are left`
      if (range === undefined)
        return came === status && clock.now() === startMs ? undefined : `${came} after ${clock.now() - startMs} ms`
      const waitedMs = (sentMs[1] ?? Number.NaN) - (sentMs[0] ?? 0)
      if (came !== 'hello') return `came to ${came}`
      return waitedMs >= range[0] && waitedMs <= range[1] ? undefined : `waited ${waitedMs} ms`
    },
    { oursAlone: true },
  )

/** Time that does what it wants, and long waits. */
export const times: readonly Fault[] = [
  ...forms.flatMap((form) => [retryAfter(429, form), retryAfter(503, form)]),
  fault(
    'Retry-After',
    'is not come back from early, by whomever',
    async ({ client, limitMs, raw }) => {
      const atMs: number[] = []
      const { origin } = await raw((socket) => {
        atMs.push(performance.now())
        socket.end('HTTP/1.1 503 No\r\nretry-after: 2\r\ncontent-length: 0\r\n\r\n')
      })
      await client.send(origin, { limitMs: limitMs ?? 5_000 })
      const gaps = atMs.slice(1).map((ms, index) => ms - (atMs[index] as number))
      return gaps.some((ms) => ms < 1_990) ? `came back after ${Math.round(Math.min(...gaps))} ms` : undefined
    },
    { realTime: true },
  ),
  fault('Retry-After', 'of an hour does not hold a call for an hour', async ({ client, limitMs, raw, ours }) => {
    const { origin, received } = await raw((socket) =>
      socket.end('HTTP/1.1 429 Slow\r\nretry-after: 3600\r\ncontent-length: 0\r\n\r\n'),
    )
    const result = await client.send(origin, { limitMs })
    return received.length > 1 ? `${received.length} requests` : complaint(result, { fails: { status: 429 } }, ours)
  }),
  fault('Retry-After', 'of 2^31 ms is not taken for none', async ({ client, limitMs, raw }) => {
    const { origin, received } = await raw((socket) =>
      socket.end('HTTP/1.1 503 No\r\nretry-after: 2147484\r\ncontent-length: 0\r\n\r\n'),
    )
    await client.send(origin, { limitMs: limitMs ?? 3_000 })
    return received.length > 1 ? `${received.length} requests at once` : undefined
  }),
  ...([2 ** 31 - 1, 2 ** 31, 2 ** 40] as const).map((ms) =>
    fault(waits, `a limit of ${ms} ms is not over at once`, async ({ client, http, ours }) => {
      const { origin } = await http((_request, response) => void setTimeout(() => response.end('hello'), 100))
      const result = await client.send(origin, { limitMs: ms })
      return ours ? complaint(result, { gets: 'hello' }, true) : result.kind === 'response' ? undefined : shown(result)
    }),
  ),
  ...(
    [
      ['back by a day', -86_400_000],
      ['on by a day', 86_400_000],
    ] as const
  ).map(([name, byMs]) =>
    fault(
      waits,
      `the wall clock is set ${name}: no limit passes, and no wait is longer`,
      async () => {
        const clock = new FakeClock(nowMs)
        let setMs = 0
        const jumping = { now: clock.now, after: clock.after, wallTime: () => clock.wallTime() + setMs }
        let sent = 0
        const transport = async (): Promise<Response> => {
          sent += 1
          setMs += byMs
          return sent < 3 ? new Response('', { status: 503, headers: { 'retry-after': '1' } }) : new Response('hello')
        }
        const startMs = clock.now()
        const response = await clock.drive(
          createFetch({ clock: jumping, transport, random: () => 0.5 })('http://127.0.0.1:65000/'),
        )
        const tookMs = clock.now() - startMs
        return (await response.text()) === 'hello' && tookMs >= 2_000 && tookMs < 3_000 ? undefined : `took ${tookMs} ms`
      },
      { oursAlone: true },
    ),
  ),
  fault(
    waits,
    'the machine was asleep: a limit that has passed ends the call, and nothing is sent for it',
    async () => {
      const clock = new FakeClock(nowMs)
      let sent = 0
      const transport = async (): Promise<Response> => {
        sent += 1
        return new Response('', { status: 503, headers: { 'retry-after': '5' } })
      }
      const calling = createFetch({ clock, transport })('http://127.0.0.1:65000/').catch((error: unknown) => error)
      await clock.advance(100)
      await clock.advance(86_400_000)
      const error = (await calling) as { name?: string; status?: number }
      if (clock.armed > 0) return 'timers are left'
      return sent <= 3 && (error.status === 503 || error.name === 'TimeoutError') ? undefined : `${sent} requests, ${error.name}`
    },
    { oursAlone: true },
  ),
  fault(
    'limiters',
    '10,000 calls through a rate limit all settle, at its pace',
    async () => {
      const clock = new FakeClock(nowMs)
      const sentMs: number[] = []
      const transport = async (): Promise<Response> => {
        sentMs.push(clock.now())
        return new Response('hello')
      }
      const api = createFetch({ clock, transport, timeoutMs: false, rateLimit: { limit: 1_000, burst: 1_000 } })
      const all = Promise.all(Array.from({ length: 10_000 }, async () => (await api('http://127.0.0.1:65000/')).text()))
      const texts = await clock.drive(all)
      const startMs = sentMs[0] as number
      const within = (from: number): number => sentMs.filter((ms) => ms >= startMs + from && ms < startMs + from + 1_000).length
      const most = Math.max(...[1_000, 2_500, 5_000].map(within))
      if (texts.length !== 10_000 || sentMs.length !== 10_000) return `${texts.length} settled, ${sentMs.length} sent`
      return most <= 1_050 && clock.armed === 0 ? undefined : `${most} in a second, ${clock.armed} timers left`
    },
    { oursAlone: true, alone: true },
  ),
  fault(
    'limiters',
    '10,000 calls through eight places all settle, eight at a time',
    async () => {
      let underWay = 0
      let most = 0
      const transport = async (): Promise<Response> => {
        underWay += 1
        most = Math.max(most, underWay)
        await pause(0)
        underWay -= 1
        return new Response('hello')
      }
      const api = createFetch({ transport, concurrency: { limit: 8, maxQueued: 10_000, maxQueueMs: false } })
      const results = await Promise.allSettled(
        Array.from({ length: 10_000 }, async () => (await api('http://127.0.0.1:65000/')).text()),
      )
      const failed = results.filter(({ status }) => status === 'rejected').length
      return failed === 0 && most === 8 ? undefined : `${failed} failed, ${most} at a time`
    },
    { oursAlone: true, alone: true },
  ),
]
