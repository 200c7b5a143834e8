import { expect, test } from 'vitest'
import { createFetch, refresh } from '../../src/index.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { Jar } from '../support/jar.ts'
import { scripted } from '../support/scripted-transport.ts'

const origin = 'https://api.example.com'

/** A response with each of these cookies in a field of its own. */
function setting(status: number, cookies: readonly string[], headers: Record<string, string> = {}): () => Response {
  return () => {
    const response = new Response(null, { status, headers })
    for (const cookie of cookies) response.headers.append('set-cookie', cookie)
    return response
  }
}

function client(options: object, ...replies: (() => Response)[]) {
  const clock = new FakeClock()
  const { transport, sent } = scripted(clock.now, ...replies)
  const api = createFetch({ transport, clock, random: () => 0, ...options })
  return { api, clock, cookies: () => sent.map(({ init }) => init.headers.cookie) }
}

test('no cookie is kept unless a jar is given', async () => {
  const { api, cookies } = client({}, setting(200, ['a=1']))
  await api(origin)
  await api(origin)
  expect(cookies()).toEqual([undefined, undefined])
})

test('the cookies of responses, also of failed, retried and redirected ones, go with the next request', async () => {
  const { api, clock, cookies } = client(
    { cookies: new Jar() },
    setting(503, ['a=1', 'b="2, 3"; Path=/; Expires=Fri, 01 Jan 2100 00:00:00 GMT']),
    setting(302, ['c=4'], { location: '/next' }),
    setting(404, ['d=5']),
    setting(200, []),
  )
  await clock.drive(api(origin).catch(() => {}))
  await api(origin)
  expect(cookies()).toEqual([undefined, 'a=1; b="2, 3"', 'a=1; b="2, 3"; c=4', 'a=1; b="2, 3"; c=4; d=5'])
})

test('each origin gets its own cookies, on a redirect too', async () => {
  const jar = new Jar()
  await jar.setCookie('mine=1', origin)
  await jar.setCookie('yours=2', 'https://other.example.com')
  const { api, cookies } = client(
    { cookies: jar },
    setting(302, [], { location: 'https://other.example.com/' }),
    setting(200, []),
  )
  await api(origin, { headers: { cookie: 'own=3' } })
  expect(cookies()).toEqual(['mine=1; own=3', 'yours=2'])
})

test('they go with a call that is sent again with new credentials', async () => {
  const { api, cookies } = client(
    { cookies: new Jar(), on: { 401: refresh(() => ({ authorization: 'x' })) } },
    setting(401, ['a=1']),
    setting(200, []),
  )
  await api(origin)
  expect(cookies()).toEqual([undefined, 'a=1'])
})

test('a cookie that the jar refuses fails no call; a jar that cannot be read does, before anything is sent', async () => {
  const { api } = client({ cookies: new Jar() }, setting(200, ['=none']))
  expect((await api(origin)).status).toBe(200)
  const broken = new Error('the jar is locked')
  const shut = { getCookieString: () => Promise.reject(broken), setCookie() {} }
  const { api: other, cookies } = client({ cookies: shut }, setting(200, []))
  await expect(other(origin)).rejects.toBe(broken)
  expect(cookies()).toEqual([])
})

test('an option that is no jar is refused', () => {
  expect(() => createFetch({ cookies: {} as never })).toThrow('cookies.getCookieString must be a function, got undefined')
})
