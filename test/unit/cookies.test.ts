import { describe, expect, test } from 'vitest'
import { type ClientOptions, createFetch, isTimeoutError, NotFoundError, refresh, type TransportInit } from '../../src/index.ts'
import { clientOf, gaps, rejection } from '../support/client.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { SmallJar } from '../support/jar.ts'
import { reply } from '../support/scripted-transport.ts'

const a = 'https://a.test'
const b = 'https://b.test'

/** A response of this status that sets these cookies. */
function setting(status: number, cookies: readonly string[], headers: Record<string, string> = {}): Response {
  const response = reply(status, headers)
  for (const cookie of cookies) response.headers.append('set-cookie', cookie)
  return response
}

const cookiesOf = (sent: readonly { init: TransportInit }[]): (string | undefined)[] =>
  sent.map(({ init }) => init.headers.cookie)

describe('a client with a cookie jar', () => {
  test('keeps each cookie of a response, and sends those that the jar has for a target', async () => {
    const cookies = new SmallJar()
    const given = ['one=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT', 'two=2; Path=/deep']
    const { fetch, sent } = clientOf([setting(200, given), reply(200)], { cookies })
    await fetch(`${a}/`)
    await fetch(`${a}/deep/x`)
    await fetch(`${a}/y`)
    await fetch(`${b}/deep`)
    expect(cookies.taken).toEqual(given.map((cookie) => [cookie, `${a}/`]))
    expect(cookiesOf(sent)).toEqual([undefined, 'one=1; two=2', 'one=1', undefined])
  })

  test('keeps those of a redirect, and sends none of them to another origin', async () => {
    const cookies = new SmallJar()
    const replies = [
      setting(302, ['a=1'], { location: '/next' }),
      setting(302, ['a=2', 'more=3'], { location: `${b}/there` }),
      setting(302, ['b=4'], { location: `${a}/back` }),
      reply(200),
    ]
    const { fetch, sent } = clientOf(replies, { cookies })
    await fetch(`${a}/`, { headers: { cookie: 'own=0' } })
    expect(cookiesOf(sent)).toEqual(['own=0', 'a=1; own=0', undefined, 'a=2; more=3'])
    expect(cookies.asked).toEqual([`${a}/`, `${a}/next`, `${b}/there`, `${a}/back`])
  })

  test('keeps those of answers that are errors, repeated or refused', async () => {
    const cookies = new SmallJar()
    const replies = [setting(503, ['try=1']), setting(401, ['try=2', 'new=1']), setting(404, ['try=3'])]
    const { fetch, clock, sent } = clientOf(replies, { cookies, on: { 401: refresh(() => ({})) } })
    expect(await clock.drive(rejection(fetch(a)))).toBeInstanceOf(NotFoundError)
    expect(cookiesOf(sent)).toEqual([undefined, 'try=1', 'try=2; new=1'])
    expect(gaps(sent)).toEqual([50, 0])
    expect(await cookies.getCookieString(a)).toBe('try=3; new=1')
  })

  test("sends the caller's own cookies with them, which count where both have one of a name", async () => {
    const cookies = new SmallJar()
    const { fetch, sent } = clientOf([setting(200, ['x=jar', 'y=jar', 'xx=jar'])], { cookies })
    await fetch(a)
    await fetch(a, { headers: { cookie: 'x=own; z=own' } })
    await fetch(a, {
      headers: [
        ['cookie', 'y=1'],
        ['cookie', 'x = 2'],
      ],
    })
    expect(cookiesOf(sent).slice(1)).toEqual(['y=jar; xx=jar; x=own; z=own', 'xx=jar; y=1; x = 2'])
  })

  test('forgets what the jar forgets', async () => {
    const cookies = new SmallJar()
    const { fetch, sent } = clientOf([setting(200, ['x=1']), setting(200, ['x=; Max-Age=0']), reply(200)], { cookies })
    for (let index = 0; index < 3; index += 1) await fetch(a)
    expect(cookiesOf(sent)).toEqual([undefined, 'x=1', undefined])
  })

  test('takes a jar that answers at once, and hands it the option of tough-cookie', async () => {
    const taken: unknown[] = []
    const cookies = { getCookieString: () => 'x=1', setCookie: (...given: unknown[]) => taken.push(given) }
    const { fetch, sent } = clientOf([setting(200, ['y=2'])], { cookies })
    await fetch(`${a}/p`)
    expect(cookiesOf(sent)).toEqual(['x=1'])
    expect(taken).toEqual([['y=2', `${a}/p`, { ignoreError: true }]])
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('refused')
      },
    ],
    ['rejects', () => Promise.reject(new Error('refused'))],
  ])('loses no response when setCookie %s, and offers the next cookie', async (_how, setCookie) => {
    let offered = 0
    const cookies = {
      getCookieString: () => '',
      setCookie: () => {
        offered += 1
        return setCookie()
      },
    }
    const { fetch } = clientOf([setting(200, ['x=1', 'y=2'])], { cookies })
    expect((await fetch(a)).status).toBe(200)
    expect(offered).toBe(2)
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('no store')
      },
      /no store/,
    ],
    ['rejects', () => Promise.reject(new Error('no store')), /no store/],
    ['gives a number', () => 7 as never, /must give a string, got number/],
    ['gives what is no field value', () => 'secret=\n' + 'x', /value of cookie/],
  ])('fails the call, unsent and unrepeated, when getCookieString %s', async (_how, getCookieString, message) => {
    const { fetch, clock, sent } = clientOf([reply(200)], { cookies: { getCookieString, setCookie: () => {} } })
    const error = (await clock.drive(rejection(fetch(a)))) as Error
    expect(error.message).toMatch(message)
    expect(error.message).not.toContain('secret')
    expect([sent.length, clock.armed]).toEqual([0, 0])
  })

  test.each(['getCookieString', 'setCookie'])('waits for %s no longer than the call may take', async (name) => {
    const hangs = (): Promise<never> => new Promise(() => {})
    const cookies = { getCookieString: () => '', setCookie: () => {}, [name]: hangs }
    const { fetch, clock, sent } = clientOf([setting(200, ['x=1'])], { cookies: cookies as never, timeoutMs: 500 })
    const begunMs = clock.now()
    const result = await clock.drive(
      fetch(a)
        .then(async (response) => response.text())
        .catch((error: unknown) => error),
    )
    expect(isTimeoutError(result)).toBe(true)
    expect([clock.now() - begunMs, sent.length, clock.armed]).toEqual([500, name === 'setCookie' ? 1 : 0, 0])
  })

  test('asks nothing for a data: URL', async () => {
    const cookies = new SmallJar()
    const { fetch } = clientOf([reply(200)], { cookies })
    expect(await (await fetch('data:,x')).text()).toBe('x')
    expect(cookies.asked).toEqual([])
  })

  test('goes by the endpoint that a request is sent to', async () => {
    const cookies = new SmallJar()
    await cookies.setCookie('of=a', a)
    await cookies.setCookie('of=b', b)
    const sent: string[] = []
    const transport = async (target: string, { headers }: TransportInit): Promise<Response> => {
      sent.push(`${new URL(target).host} ${headers.cookie}`)
      return reply(200)
    }
    const fetch = createFetch({ endpoints: [a, b], cookies, transport })
    for (let index = 0; index < 20; index += 1) await fetch('x')
    expect(new Set(sent)).toEqual(new Set(['a.test of=a', 'b.test of=b']))
  })

  test('gives its jar to its children, unless they have another or none', async () => {
    const [first, second] = [new SmallJar(), new SmallJar()]
    const { fetch } = clientOf([setting(200, ['x=1'])], { cookies: first })
    await fetch.extend({ timeoutMs: 1 })(a)
    await fetch.extend({ cookies: second })(a)
    await fetch.extend({ cookies: false })(a)
    expect([first.taken.length, second.taken.length]).toEqual([1, 1])
  })

  test('sends a hedge with the same cookies', async () => {
    const clock = new FakeClock()
    const sent: unknown[] = []
    const transport = (_target: string, { headers, signal }: TransportInit): Promise<Response> => {
      sent.push(headers.cookie)
      if (sent.length > 1) return Promise.resolve(reply(200))
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    }
    const cookies = { getCookieString: async () => 'x=1', setCookie: () => {} }
    const fetch = createFetch({ clock, transport, cookies, hedge: { afterMs: 10 } })
    expect((await clock.drive(fetch(a))).status).toBe(200)
    expect([sent, clock.armed]).toEqual([['x=1', 'x=1'], 0])
  })
})

test.each<[ClientOptions, RegExp]>([
  [{ cookies: {} as never }, /cookies\.getCookieString must be a function/],
  [{ cookies: { getCookieString: () => '' } as never }, /cookies\.setCookie must be a function/],
  [{ cookies: true as never }, /cookies\.getCookieString must be a function/],
])('a jar that is none is refused', (options, message) => {
  expect(() => createFetch(options)).toThrow(message)
})

test('a jar is an option of a client, not of a call', async () => {
  const { fetch, sent } = clientOf([reply(200)])
  expect(await rejection(fetch(a, { cookies: new SmallJar() } as never))).toMatchObject({
    message: expect.stringMatching(/use extend/),
  })
  expect(sent).toHaveLength(0)
})
