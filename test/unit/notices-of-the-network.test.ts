import { describe, expect, test } from 'vitest'
import { linkOf, listOf } from '../../src/errors/response-fields.ts'
import { clientOf, rejection } from '../support/client.ts'
import { reply } from '../support/scripted-transport.ts'

const target = 'https://api.test/'

describe('what a proxy or a network answers in the place of the origin (RFC 9110 §15.5.8, RFC 6585 §6)', () => {
  test.each([407, 511])('%i neither helps nor harms the breaker of the origin', async (status) => {
    const options = { breaker: { consecutiveFailures: 2 }, maxAttempts: 1 }
    const { fetch, sent } = clientOf([reply(500), reply(status), reply(500), reply(200)], options)
    for (const expected of [500, status]) expect(await rejection(fetch(target))).toMatchObject({ status: expected })
    expect(fetch.breaker(target).state).toBe('closed')
    expect(await rejection(fetch(target))).toMatchObject({ status: 500 })
    expect(fetch.breaker(target).state).toBe('open')
    expect(await rejection(fetch(target))).toMatchObject({ kind: 'breaker open' })
    expect(sent).toHaveLength(3)
  })

  test('a 404, which is the word of the origin, does help', async () => {
    const options = { breaker: { consecutiveFailures: 2 }, maxAttempts: 1 }
    const { fetch, sent } = clientOf([reply(500), reply(404), reply(500)], options)
    for (const status of [500, 404, 500]) expect(await rejection(fetch(target))).toMatchObject({ status })
    expect(fetch.breaker(target).state).toBe('closed')
    expect(sent).toHaveLength(3)
  })
})

describe('fields that errors read', () => {
  test.each([
    ['</a>; rel=blocked-by', '/a'],
    ['</a>;title="x, <y>; rel=blocked-by";rel=next, </b> ; rel = "other BLOCKED-BY"', '/b'],
    ['</a>; title="; rel=blocked-by ;"; rel=blocked-by', '/a'],
    ['</a>; title="; rel=blocked-by ;"', undefined],
    ['</a>; rel="next", </b>', undefined],
    ['rel=blocked-by', undefined],
    ['</a>; xrel=blocked-by', undefined],
    ['', undefined],
  ])('Link %s blocks by %s', (link, blocker) => expect(linkOf(new Headers({ link }), 'blocked-by')).toBe(blocker))

  test('a long Link is read in no time', () => {
    const link = `${'<a>; rel="x" '.repeat(2_000)}${'<'.repeat(2_000)}${'"'.repeat(1_001)}`
    const startMs = performance.now()
    expect(linkOf(new Headers({ link }), 'blocked-by')).toBeUndefined()
    expect(performance.now() - startMs).toBeLessThan(500)
  })

  test('a list loses its empty members', () => {
    expect(listOf(new Headers({ allow: ' , GET ,,HEAD' }), 'allow')).toEqual(['GET', 'HEAD'])
    expect(listOf(new Headers(), 'allow')).toBeUndefined()
  })
})
