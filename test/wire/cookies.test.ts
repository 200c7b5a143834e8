import { expect, test } from 'vitest'
import { SmallJar } from '../support/jar.ts'
import { client, keepingServer } from '../support/wire.ts'

test('cookies of several fields are kept one by one, and are sent to their own host alone', async () => {
  await using other = await keepingServer((response) => response.setHeader('set-cookie', 'other=1').end())
  await using server = await keepingServer((response, { path }) => {
    if (path === '/login')
      response.writeHead(303, { location: '/home', 'set-cookie': ['sid=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT', 'lang=en'] })
    if (path === '/away') response.writeHead(302, { location: `${other.origin}/` })
    response.end()
  })
  const cookies = new SmallJar()
  const api = client({ cookies, baseUrl: server.origin })
  await (await api('login', { method: 'POST', json: { user: 'x' } })).text()
  await (await api('away')).text()
  await (await api('home', { headers: { cookie: 'lang=de' } })).text()
  expect(server.received.map(({ path, headers }) => [path, headers.cookie])).toEqual([
    ['/login', undefined],
    ['/home', 'sid=1; lang=en'],
    ['/away', 'sid=1; lang=en'],
    ['/home', 'sid=1; lang=de'],
  ])
  expect(other.received.map(({ headers }) => headers.cookie)).toEqual([undefined])
  expect(cookies.taken).toHaveLength(3)
})
