import fc from 'fast-check'
import { expect, test } from 'vitest'
import { redactReference, redactUrl } from '../../src/errors/redact.ts'
import { redactContent } from '../../src/errors/redact-content.ts'
import { redactFields } from '../../src/errors/redact-fields.ts'
import { escapeControls, redactText } from '../../src/errors/redact-text.ts'

const secret = 'S3CR3T'
const names = fc.constantFrom(
  'token',
  'apiKey',
  'X-Api-Key',
  'client_secret',
  'password',
  'SID',
  'refresh_token',
  'X-Amz-Signature',
)
const word = fc.stringMatching(/^[a-z]{1,8}$/)
const controls = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

test('no URL shows its userinfo, its fragment or a parameter with a secret name, wherever that stands', () => {
  const parts = fc.record({
    scheme: fc.constantFrom('https', 'http', 'ws', 'ftp', 'redis'),
    userinfo: fc.constantFrom('', `${secret}@`, `u:${secret}@`, `${secret}:@`),
    before: fc.array(fc.tuple(word, fc.webQueryParameters()), { maxLength: 3 }),
    name: names,
    coded: fc.boolean(),
    after: fc.array(fc.tuple(word, word), { maxLength: 3 }),
    fragment: fc.constantFrom('', `#${secret}`, `#a=${secret}&b`),
  })
  fc.assert(
    fc.property(parts, ({ scheme, userinfo, before, name, coded, after, fragment }) => {
      const codedName = coded ? [...name].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join('') : name
      const pairs = [...before, [codedName, secret], ...after].map((pair) => pair.join('='))
      const url = `${scheme}://${userinfo}x.test/a?${pairs.join('&')}${fragment}`
      for (const shown of [
        redactUrl(url),
        redactReference(url),
        redactText(`failed: ${url}`),
        redactFields([['location', url]]).location,
      ])
        expect(shown).not.toContain(secret)
      expect(redactUrl(url)).toBe(redactUrl(redactUrl(url)))
    }),
  )
})

test('a URL without secrets is shown as it is, but for its fragment', () => {
  const query = fc.array(
    fc.tuple(
      word.filter(
        (name) => !/key|sig|pwd|pass|sid|otp|pin|auth|code|state|ticket|token|saml|jwt|dpop|hmac|cookie|csrf|xsrf/.test(name),
      ),
      word,
    ),
  )
  fc.assert(
    fc.property(query, fc.boolean(), (pairs, fragment) => {
      const url = `https://x.test/a?${pairs.map((pair) => pair.join('=')).join('&')}`
      expect(redactUrl(fragment ? `${url}#a` : url)).toBe(pairs.length === 0 ? 'https://x.test/a' : url)
    }),
  )
})

test('whatever follows a secret name in a text, in JSON or in a form is masked', () => {
  const places = fc.constantFrom<(name: string) => string>(
    (name) => `${name}=${secret}`,
    (name) => `${name}: ${secret}`,
    (name) => `${name} = "${secret} ${secret}"`,
    (name) => `{"${name}":"${secret}\\"${secret}"}`,
    (name) => `"${name}": "${secret}`,
    (name) => `?a=b&${name}=${secret}&c=d`,
    () => `Bearer ${secret}`,
    () => `cookie: a=b; c=${secret}`,
    () => `proxy-authorization: Digest a="b", c="${secret}"`,
  )
  const around = fc.string({ unit: 'grapheme', maxLength: 20 })
  fc.assert(
    fc.property(around, places, names, around, (before, place, name, after) => {
      const text = `${before} ${place(name)} ${after}`
      expect(redactText(text)).not.toContain(secret)
      expect(redactContent(text, null)).not.toContain(secret)
      expect(redactContent(JSON.stringify({ [before]: [{ [name]: { [after]: secret } }] }), null)).not.toContain(secret)
    }),
  )
})

test('no control character leaves, and a text is masked once and for all', () => {
  const text = fc.string({ unit: 'binary', maxLength: 200 })
  fc.assert(
    fc.property(text, (given) => {
      expect(escapeControls(given)).not.toMatch(controls)
      expect(redactText(given)).not.toMatch(controls)
      expect(redactText(redactText(given))).toBe(redactText(given))
    }),
  )
})

test('hostile text costs no more than its length', () => {
  const pieces = fc.constantFrom(
    'a',
    'a.',
    'a:',
    ':',
    '@',
    'a@',
    '"a',
    "'a':",
    'token=',
    'bearer ',
    '<a ',
    '<input name=a value',
    'eyJaaaaaaa.',
    '://',
    'a+',
    '-----BEGIN PRIVATE KEY-----',
    'cookie',
    '{"token":[',
  )
  fc.assert(
    fc.property(fc.array(pieces, { minLength: 1, maxLength: 3 }), (unit) => {
      const text = unit.join('').repeat(20_000)
      const startMs = performance.now()
      redactText(text)
      redactContent(text, 'text/html')
      redactFields([['x-a', text]])
      // Far above what it takes; an exponential pattern would take minutes.
      expect(performance.now() - startMs).toBeLessThan(5_000)
    }),
    { numRuns: 60 },
  )
})
