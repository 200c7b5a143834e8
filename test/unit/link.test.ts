import { describe, expect, it } from 'vitest'
import { parseLinks } from '../../src/http/link.ts'
import { linksOf } from '../../src/index.ts'
import type { Link } from '../../src/types/link.ts'

const base = 'https://api.example/folder/page?x=1'
const parsed = (field: string): readonly Link[] => parseLinks(field, base)
const targets = (field: string): string[] => parsed(field).map(({ target }) => target)

describe('the links of a Link field', () => {
  it('have a target, relation types and parameters', () => {
    expect(parsed('</style.css>; rel="preload stylesheet"; as=style; crossorigin; type="text/css"')).toEqual([
      {
        target: 'https://api.example/style.css',
        rel: ['preload', 'stylesheet'],
        as: 'style',
        params: { as: 'style', crossorigin: '', type: 'text/css' },
      },
    ])
  })

  it.each([
    ['absolute', '<https://cdn.example/a>', 'https://cdn.example/a'],
    ['of a path', '</a>', 'https://api.example/a'],
    ['relative', '<a>', 'https://api.example/folder/a'],
    ['of a query', '<?page=2>', 'https://api.example/folder/page?page=2'],
    ['of another scheme', '<mailto:a@example>', 'mailto:a@example'],
    ['empty', '<>', base],
    ['with commas and semicolons', '</a,b;c>', 'https://api.example/a,b;c'],
  ])('are resolved: %s', (_case, reference, target) => {
    expect(targets(`${reference}; rel=next`)).toEqual([target])
  })

  it('are several in one field, with white space and empty members between them', () => {
    expect(targets('</a>;rel=a,</b>; rel=b ,\t</c>\t;\trel = "c",,  ,</d>;rel=d;')).toEqual(
      ['a', 'b', 'c', 'd'].map((name) => `https://api.example/${name}`),
    )
  })

  it('may have anything in quoted strings, escaped characters too', () => {
    const [link] = parsed('</a>; title="a, \\"b\\"; <c> \\\\ rel=d"; rel=next')
    expect([link?.params.title, link?.rel]).toEqual(['a, "b"; <c> \\ rel=d', ['next']])
  })

  it('take the first of a parameter that is repeated, and names in any case', () => {
    const [link] = parsed('</a>; REL=Next; rel=prev; Title=one; title=two')
    expect([link?.rel, link?.params]).toEqual([['next'], { title: 'one' }])
  })

  it.each([
    ["title=plain; title*=UTF-8''%e2%82%ac%20rates", { title: '€ rates' }],
    ["title*=utf-8'en'caf%C3%A9", { title: 'café' }],
    ["title*=ISO-8859-1'en'caf%e9", { title: 'café' }],
    ["title=plain; title*=UTF-8''%ff", { title: 'plain' }],
    ['title=plain; title*=nothing', { title: 'plain' }],
    ["title*=KOI8-R''%c1", {}],
  ])('decode extended values: %s', (param, params) => {
    expect(parsed(`</a>; rel=next; ${param}`)[0]?.params).toEqual(params)
  })

  it.each([
    ['no target', 'a; rel=next'],
    ['a target that does not end', '</a; rel=next'],
    ['a target within a target', '<</a>>; rel=next'],
    ['a target that is no URL', '<http://[>; rel=next'],
    ['no relation', '</a>; as=style'],
    ['an empty relation', '</a>; rel=""'],
    ['text after the target', '</a> x; rel=next'],
    ['text after a parameter', '</a>; rel="next" x'],
    ['a quoted string that does not end', '</a>; rel="next'],
  ])('skip a malformed one: %s', (_case, member) => {
    expect(targets(member)).toEqual([])
    expect(targets(`</before>; rel=a, ${member}`)).toEqual(['https://api.example/before'])
  })

  it('come after a malformed one, too', () => {
    expect(targets('no target; rel=x, </a>; rel=next, <b; rel=x, </c>; rel=last')).toEqual([
      'https://api.example/a',
      'https://api.example/c',
    ])
  })

  it('keep names of parameters that objects have of their own', () => {
    const [link] = parsed('</a>; rel=next; __proto__=x; constructor=y')
    expect(Object.entries(link?.params ?? {})).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ])
    expect(({} as Record<string, unknown>).x).toBeUndefined()
  })

  it.each([
    ['quotes', '"'.repeat(50_000)],
    ['angle brackets', '<'.repeat(50_000)],
    ['commas', ','.repeat(50_000)],
    ['escapes', `</a>; rel="${'\\'.repeat(50_001)}`],
    ['parameters', `</a>; rel=a${'; '.repeat(25_000)}`],
    ['white space', `</a>; rel=a${' '.repeat(50_000)}x`],
    ['links', '</a>; rel=a, '.repeat(5_000)],
  ])('take no longer than their length asks for: %s', (_case, field) => {
    const startMs = performance.now()
    parsed(field)
    expect(performance.now() - startMs).toBeLessThan(1_000)
  })

  it('are read from a response', () => {
    const response = new Response('', { headers: { link: '<https://api.example/items?page=2>; rel="next"' } })
    expect(linksOf(response)).toMatchObject([{ target: 'https://api.example/items?page=2', rel: ['next'] }])
    expect(linksOf(new Response(''))).toEqual([])
  })
})
