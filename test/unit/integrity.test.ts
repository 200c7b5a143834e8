import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { matchesIntegrity, parseIntegrity } from '../../src/http/integrity.ts'

const bytes = Buffer.from('alert("Hello, world.")')
const digest = (algorithm: string, content: Uint8Array = bytes): string => createHash(algorithm).update(content).digest('base64')
const right = (algorithm: string): string => `${algorithm}-${digest(algorithm)}`
const wrong = (algorithm: string): string => `${algorithm}-${digest(algorithm, Buffer.from('other'))}`

/** Whether the content passes; undefined where nothing is checked. */
function verdict(text: string, content: Uint8Array = bytes): boolean | undefined {
  const integrity = parseIntegrity(text)
  return integrity && matchesIntegrity(content, integrity)
}

async function platformAccepts(integrity: string): Promise<boolean> {
  try {
    await fetch(`data:,${encodeURIComponent(bytes.toString())}`, { integrity })
    return true
  } catch {
    return false
  }
}

describe('integrity metadata (Subresource Integrity §3.3)', () => {
  test.each<[string, string, boolean | undefined]>([
    ['SHA-256', right('sha256'), true],
    ['SHA-384', right('sha384'), true],
    ['SHA-512', right('sha512'), true],
    ['a wrong SHA-256', wrong('sha256'), false],
    ['a wrong SHA-512', wrong('sha512'), false],
    ['nothing', '', undefined],
    ['white space', '  ', undefined],
    ['an unknown algorithm', 'md5-1B2M2Y8AsgTpgAmY7PhCfg==', undefined],
    ['no algorithm at all', 'nonsense', undefined],
    ['an unknown algorithm beside a right hash', `foo-bar ${right('sha256')}`, true],
    ['an unknown algorithm beside a wrong hash', `foo-bar ${wrong('sha256')}`, false],
    ['several hashes, one of them right', `${wrong('sha384')} ${right('sha384')}`, true],
    ['several hashes, none of them right', `${wrong('sha384')} ${wrong('sha384')}`, false],
    ['a wrong hash of a weaker algorithm', `${wrong('sha256')} ${right('sha384')}`, true],
    ['the strongest one first', `${right('sha512')} ${wrong('sha256')}`, true],
    ['a right hash of a weaker algorithm', `${right('sha256')} ${wrong('sha512')}`, false],
    ['more than one space', `${wrong('sha384')}   ${right('sha384')}`, true],
    ['base64 without padding', right('sha256').replace(/=+$/, ''), true],
    ['base64url', right('sha512').replaceAll('+', '-').replaceAll('/', '_'), true],
    ['an algorithm in capitals and a wrong hash of a weaker one', `${right('sha384')} ${wrong('sha256')}`, true],
    ['a digest in the wrong case', right('sha256').toLowerCase(), false],
    ['a digest of another length', 'sha256-abc', false],
    ['no digest', 'sha256-', false],
  ])('%s', async (_name, text, expected) => {
    expect(verdict(text)).toBe(expected)
    expect(await platformAccepts(text)).toBe(expected ?? true)
  })

  // Where the platforms differ from one another the standard holds.
  test.each<[string, string, boolean | undefined]>([
    ['options after a question mark', `${right('sha256')}?ct=text/javascript`, true],
    ['options after a wrong hash', `${wrong('sha256')}?ct=text/javascript`, false],
    ['an algorithm in capitals', right('sha256').replace('sha', 'SHA'), true],
    ['an algorithm in capitals and a wrong hash', wrong('sha256').replace('sha', 'SHA'), false],
    ['tabs and line feeds', `${wrong('sha384')}\n\t${right('sha384')}\n`, true],
    ['an algorithm whose name only starts like one', 'sha256x-abc', undefined],
    ['an algorithm alone', 'sha256', false],
  ])('%s, as the standard says', (_name, text, expected) => {
    expect(verdict(text)).toBe(expected)
  })

  test('both alphabets of base64, whichever characters a digest has', () => {
    for (let index = 0; index < 50; index += 1) {
      const content = Buffer.from(String(index))
      const base64 = digest('sha256', content)
      expect(verdict(`sha256-${base64}`, content)).toBe(true)
      expect(verdict(`sha256-${Buffer.from(base64, 'base64').toString('base64url')}`, content)).toBe(true)
    }
  })

  test('no content has a hash of its own', () => {
    expect(verdict(`sha256-${digest('sha256', Buffer.alloc(0))}`, Buffer.alloc(0))).toBe(true)
    expect(verdict(right('sha256'), Buffer.alloc(0))).toBe(false)
  })
})
