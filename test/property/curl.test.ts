import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toCurl } from '../../src/index.ts'

/** Text as a command line can hold it, with what a shell might take for its own. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc
    .array(
      fc.constantFrom(
        "'",
        '"',
        '\\',
        '$(id)',
        '`id`',
        '$HOME',
        '{',
        '}',
        ';',
        '&',
        '|',
        '\n',
        ' ',
        '!',
        '*',
        '~',
        '-',
        '%',
        '@',
        'a',
      ),
      {
        maxLength: 8,
      },
    )
    .map((parts) => parts.join('')),
)
/** What becomes of text on its way through UTF-8 without a NUL. */
const asWord = (value: string): string => Buffer.from(value.replaceAll('\0', '')).toString()

test('every word of a command reaches curl as it is, whatever it holds', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ method: text, value: text, content: text }), { minLength: 1, maxLength: 20 }),
      (requests) => {
        const commands = requests.map(({ method, value, content }) => {
          const headers = [{ name: 'x-a', value }]
          return toCurl({ request: { method, url: 'http://api.example.com/', headers, postData: { text: content } } })
        })
        // A function of the shell in the place of curl prints what it is given.
        const script = `curl() { for word; do printf '%s\\0' "$word"; done; printf 'end\\0'; }\n${commands.join('\n')}\n`
        const printed = execFileSync('/bin/sh', { input: script, encoding: 'utf8' }).split('\0end\0').slice(0, -1)
        const words = printed.map((line) => line.split('\0'))
        expect(words).toHaveLength(requests.length)
        for (const [index, { method, value, content }] of requests.entries()) {
          const own = words[index] as string[]
          expect(own[0]).toBe('http://api.example.com/')
          if (method !== 'POST' && method !== 'HEAD') expect(own.slice(1, 3)).toEqual(['-X', asWord(method)])
          expect(own.slice(own.indexOf('-H'))).toEqual([
            ...['-H', value === '' ? 'x-a;' : `x-a: ${asWord(value)}`, '--compressed', '--data-raw', asWord(content)],
          ])
        }
      },
    ),
    { numRuns: 30 },
  )
})
