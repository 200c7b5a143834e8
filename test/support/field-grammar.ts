import fc from 'fast-check'

/** Text of which a field value may consist, RFC 9110 §5.5; most of it means something to one parser or another. */
const pieces = [
  ...[
    '"',
    '\\',
    ',',
    ';',
    '=',
    ' ',
    '\t',
    '<',
    '>',
    '(',
    ')',
    '*',
    "'",
    ':',
    '/',
    '?',
    '@',
    '%',
    '%4',
    '%zz',
    '+',
    '-',
    '.',
    '0',
    '9',
  ],
  ...[
    'a',
    'Z',
    '\x80',
    '\xff',
    'max-age',
    'no-store',
    'no-cache',
    'private',
    's-maxage',
    'Basic',
    'Bearer',
    'realm',
    'rel',
    'r',
    't',
    'w',
  ],
  ...[
    'q',
    'pk',
    'qu',
    'remaining=',
    'limit',
    'reset',
    'bytes',
    'W/',
    '""',
    '?1',
    ':YQ==:',
    '60',
    '1e9',
    '-1',
    'Mon',
    'Jan',
    'GMT',
    '2026',
  ],
]

/** Any field value. */
export const anyField: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.array(fc.constantFrom(...pieces), { maxLength: 30 }).map((parts) => parts.join('')) },
  {
    weight: 1,
    arbitrary: fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)), maxLength: 40 }),
  },
)

/** Something to begin with, and something to be repeated until it is as long as somebody likes. */
export interface Repeated {
  readonly start: string
  readonly unit: string
  readonly end: string
}

const part = fc.array(fc.constantFrom(...pieces), { maxLength: 4 }).map((parts) => parts.join(''))

/** A field value that is made to keep a parser busy. */
export const hostileField: fc.Arbitrary<Repeated> = fc.record({
  start: part,
  unit: part.filter((text) => text !== ''),
  end: part,
})

/** The value, of about so many characters. */
export function ofLength({ start, unit, end }: Repeated, length: number): string {
  return start + unit.repeat(Math.ceil(length / unit.length)) + end
}

const token = fc.string({ unit: fc.constantFrom(..."abcXYZ019!#$%&'*+-.^_`|~"), minLength: 1, maxLength: 8 })
const text = fc.string({ unit: fc.constantFrom(...'ab Z9,;="\\<>\t'), maxLength: 8 })
const space = fc.constantFrom('', '', ' ', '\t')

/** A token, RFC 9110 §5.6.2. */
export const anyToken: fc.Arbitrary<string> = token
/** White space where it means nothing. */
export const anySpace: fc.Arbitrary<string> = space

/** What a token or a quoted string says, and how it is written. */
export const word: fc.Arbitrary<{ readonly value: string; readonly written: string }> = fc.oneof(
  token.map((value) => ({ value, written: value })),
  fc.tuple(text, fc.boolean()).map(([value, more]) => {
    const escaped = value.replace(more ? /[\\"a]/g : /[\\"]/g, '\\$&')
    return { value, written: `"${escaped}"` }
  }),
)
