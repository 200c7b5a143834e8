import { expect, test } from 'vitest'
import { parseChallenges } from '../../src/index.ts'

/** Challenges as plain lists, for params have no prototype. */
const parsed = (field: string | null | undefined): unknown[] =>
  parseChallenges(field).map(({ scheme, token68, params }) => [
    scheme,
    { ...params },
    ...(token68 === undefined ? [] : [token68]),
  ])

test.each([
  ['one with parameters', 'Bearer realm="api", error="invalid_token"', [['bearer', { realm: 'api', error: 'invalid_token' }]]],
  ['one without any', 'Negotiate', [['negotiate', {}]]],
  ['one with a token68', 'Negotiate YII/+~-._9==', [['negotiate', {}, 'YII/+~-._9==']]],
  [
    'several in one field, commas in quotes among them',
    'Digest realm="a, b", qop="auth,auth-int", nonce=abc, Basic realm="c", Negotiate',
    [
      ['digest', { realm: 'a, b', qop: 'auth,auth-int', nonce: 'abc' }],
      ['basic', { realm: 'c' }],
      ['negotiate', {}],
    ],
  ],
  [
    'the example of RFC 9110 §11.6.1',
    'Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""',
    [
      ['basic', { realm: 'simple' }],
      ['newauth', { realm: 'apps', type: '1', title: 'Login to "apps"' }],
    ],
  ],
  [
    'a token68 before another challenge',
    'NTLM TlRM==, Basic realm=x',
    [
      ['ntlm', {}, 'TlRM=='],
      ['basic', { realm: 'x' }],
    ],
  ],
  ['empty items of the list', ' , ,Bearer ,, realm = "x" ,', [['bearer', { realm: 'x' }]]],
  ['white space around the sign of equality', 'Bearer realm\t=  "x"', [['bearer', { realm: 'x' }]]],
  ['names in any case', 'BEARER Realm="X"', [['bearer', { realm: 'X' }]]],
  ['a repeated parameter once', 'Bearer a=1, A=2', [['bearer', { a: '1' }]]],
  [
    'an unquoted URL',
    'Bearer realm=https://auth.test/token?a=b,service=x',
    [['bearer', { realm: 'https://auth.test/token?a=b', service: 'x' }]],
  ],
  ['parameters without commas between them', 'Bearer realm="x" error="y"', [['bearer', { realm: 'x', error: 'y' }]]],
  ['a quote that is not closed', 'Bearer realm="x, y', [['bearer', { realm: 'x, y' }]]],
  ['a quote that ends in a backslash', 'Bearer realm="x\\', [['bearer', { realm: 'x' }]]],
  ['an empty quote', 'Bearer realm=""', [['bearer', { realm: '' }]]],
  [
    'a name of Object.prototype',
    'Bearer __proto__="x", constructor=y',
    [
      [
        'bearer',
        Object.fromEntries([
          ['__proto__', 'x'],
          ['constructor', 'y'],
        ]),
      ],
    ],
  ],
  ['nothing before a scheme', 'realm="x", Basic realm="y"', [['basic', { realm: 'y' }]]],
  ['nothing where there is no challenge', '"\u00e4", (), ;', []],
  ['nothing in an empty field', '', []],
])('reads %s', (_what, field, challenges) => {
  expect(parsed(field)).toEqual(challenges)
})

test('a field that is absent has no challenges', () => {
  expect([parsed(null), parsed(undefined)]).toEqual([[], []])
})

test('a hostile field takes no time to speak of', () => {
  const startMs = performance.now()
  for (const part of ['"\\', 'a=', 'a ', '=', ',', '\\"', 'a="']) parseChallenges(part.repeat(20_000))
  expect(performance.now() - startMs).toBeLessThan(2_000)
})
