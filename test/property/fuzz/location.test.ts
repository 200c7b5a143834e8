import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isForbiddenPort } from '../../../src/http/ports.ts'
import { createFetch, RedirectError, type TransportInit } from '../../../src/index.ts'
import { runCount } from '../../support/run-count.ts'

const pick = (...texts: string[]): fc.Arbitrary<string> => fc.constantFrom(...texts)
const scheme = pick(
  '',
  '',
  'https:',
  'http:',
  'HTTPS:',
  'hTtP:',
  'ftp:',
  'ws:',
  'file:',
  'data:',
  'blob:',
  'javascript:',
  'a.b+c:',
  ':',
)
const slashes = pick('//', '//', '/', '', '///', '\\\\', '/\\', '\\/', '\\', '//\t', '/\t/')
const userinfo = pick('', '', '', '', 'u@', 'u:p@', ':@', '@', '%40@', 'u:p@q@', 'api.test@')
const host = fc.oneof(
  pick(
    'api.test',
    'API.TEST',
    'api.test.',
    'api.test:443',
    'other.test',
    'api.test.evil.test',
    'api.test%2eevil.test',
    'аpi.test',
  ),
  pick(
    '[::1]',
    '[::ffff:127.0.0.1]',
    '127.1',
    '0x7f.1',
    '017700000001',
    '2130706433',
    '169.254.169.254',
    'a。test',
    'xn--pi-7ka.test',
  ),
  pick('', ' ', 'a b', '[', 'a]', '%00', '*', '-', '..', '.', '1.2.3.4.5', '[::1', '%'),
  fc.string({ unit: 'binary', maxLength: 6 }),
)
const port = pick('', '', ':', ':443', ':80', ':8443', ':22', ':6000', ':0', ':65535', ':65536', ':-1', ':x', ':00443')
const path = fc.oneof(
  pick(
    '',
    '/',
    '/a/b',
    '/../..',
    '/./x',
    '/%2e%2e/x',
    '/a;b?c=d',
    '?q',
    '?',
    '#f',
    '/a#b?c',
    '/ä',
    '/\u{1f600}',
    '/a\\b',
    '//x',
    '/ ',
  ),
  fc.string({ unit: fc.constantFrom(...'ab/.?#%&=;:@\\ \t"<>[]^`{|}~ä€\u0000\u007f'), maxLength: 12 }),
)
const assembled = fc.tuple(scheme, slashes, userinfo, host, port, path).map((parts) => parts.join(''))
const reference = fc.oneof(
  { weight: 5, arbitrary: assembled },
  { weight: 2, arbitrary: path },
  { weight: 1, arbitrary: fc.webUrl({ withFragments: true, withQueryParameters: true }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
)

/** Bytes as they stand in a field: UTF-8, or Latin-1 where that is asked for, without what no field can hold. */
function fieldOf(text: string, encoding: 'utf8' | 'latin1'): string {
  return Buffer.from(text, encoding)
    .toString('latin1')
    .replace(/[\0\r\n]/g, '')
    .trim()
}

/** What the URL standard and the rules of this client make of it, written down apart from the code. */
function expected(location: string, from: string): URL | RedirectError['kind'] {
  const text = Buffer.from(location, 'latin1').toString('utf8')
  if (!URL.canParse(text, from)) return 'location'
  const url = new URL(text, from)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'scheme'
  if (isForbiddenPort(url)) return 'port'
  if (url.username !== '' || url.password !== '') return 'credentials'
  return url.protocol === 'http:' && from.startsWith('https:') ? 'downgrade' : url
}

const secrets = ['authorization', 'cookie', 'x-api-key', 'proxy-authorization', 'x-auth-token']
const credentials = { authorization: 'Bearer s', cookie: 'a=s', 'x-api-key': 's', 'x-auth-token': 's' }

test('a redirect leads where the URL standard says, if it may, and takes no credentials to another origin', async () => {
  const ends = { same: 0, other: 0, refused: 0 }
  await fc.assert(
    fc.asyncProperty(
      reference,
      pick('utf8', 'latin1'),
      pick('https://api.test/v1/x?y', 'http://api.test:8080/v1/'),
      fc.constantFrom(301, 302, 303, 307, 308),
      fc.constantFrom('GET', 'POST'),
      async (text, encoding, from, status, method) => {
        const location = fieldOf(text, encoding as 'utf8')
        const sent: [string, TransportInit][] = []
        const transport = async (target: string, init: TransportInit): Promise<Response> => {
          sent.push([target, init])
          return sent.length === 1 ? new Response(null, { status, headers: { location } }) : new Response('ok')
        }
        const fetch = createFetch({ transport, headers: credentials })
        const body = method === 'POST' ? 'content' : null
        const result = await fetch(from, { method, body }).catch((error: unknown) => error)
        const target = expected(location, from)
        const isOther = target instanceof URL && target.origin !== new URL(from).origin
        const withContent = isOther && body !== null && status > 303
        if (!(target instanceof URL) || withContent) {
          ends.refused += 1
          expect(result).toBeInstanceOf(RedirectError)
          expect([(result as RedirectError).kind, sent.length]).toEqual([withContent ? 'content' : target, 1])
          return
        }
        ends[isOther ? 'other' : 'same'] += 1
        expect((result as Response).status).toBe(200)
        const [href, { headers, method: verb }] = sent[1] as [string, TransportInit]
        target.hash = ''
        expect([href, verb]).toEqual([target.href, status > 303 ? method : 'GET'])
        const told = secrets.filter((name) => new Headers(headers as HeadersInit).has(name))
        expect(told).toEqual(isOther ? [] : Object.keys(credentials))
      },
    ),
    { numRuns: runCount(300) },
  )
  for (const end of Object.values(ends)) expect(end).toBeGreaterThan(runCount(300) / 50)
})
