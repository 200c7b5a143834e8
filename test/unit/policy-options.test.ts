import { describe, expect, test } from 'vitest'
import { accept, fail, fallback, follow, pause, poll, refresh, retry } from '../../src/index.ts'
import { mergePolicies } from '../../src/options/policies.ts'
import {
  checkDuration,
  checkFlag,
  checkFunction,
  checkKeys,
  checkMembers,
  checkNumber,
  checkOneOf,
  given,
} from '../../src/policy/checks.ts'
import { fromWord, isPolicy, patient } from '../../src/policy/policies.ts'
import { repetitionOf } from '../../src/policy/repetition.ts'
import type { PolicyTable } from '../../src/types/policy.ts'

const source = async (): Promise<undefined> => undefined

describe('policies', () => {
  test('are data without a prototype', () => {
    expect(accept()).toEqual({ __proto__: null, kind: 'accept' })
    expect(fail()).toEqual({ __proto__: null, kind: 'fail' })
    expect(retry({ baseMs: 5 })).toEqual({ __proto__: null, kind: 'retry', baseMs: 5 })
    expect(pause({ maxHeld: 0 })).toEqual({ __proto__: null, kind: 'pause', maxHeld: 0 })
    expect(follow({ maxHops: 0 })).toEqual({ __proto__: null, kind: 'follow', maxHops: 0 })
    expect(poll({ intervalMs: 5 })).toEqual({ __proto__: null, kind: 'poll', intervalMs: 5 })
    expect(refresh(source, { eager: true })).toEqual({ __proto__: null, kind: 'refresh', source, eager: true })
  })

  test.each([
    ['retry', 'retry'],
    ['pause', 'pause'],
    ['follow', 'follow'],
    ['accept', 'accept'],
    ['fail', 'fail'],
    ['poll', 'poll'],
  ] as const)('the word %s is the policy with its defaults', (word, kind) => {
    expect([isPolicy(word), fromWord(word)]).toEqual([true, { __proto__: null, kind }])
  })

  test('other words are none', () => {
    expect(['', 'fallback', 'refresh', 'toString', '__proto__'].filter(isPolicy)).toEqual([])
  })

  test('a substitute that is a Response is copied for each call', async () => {
    const { substitute } = fallback(new Response('x'))
    const first = await substitute({} as never)
    const second = await substitute({} as never)
    expect([await first.text(), await second.text()]).toEqual(['x', 'x'])
  })

  test('that wait and send again are a retry, a pause, and what a fallback comes after', () => {
    const after = retry()
    expect(patient(after)).toBe(after)
    expect(patient(pause())?.kind).toBe('pause')
    expect(patient(fallback(() => new Response(), { after }))).toEqual(after)
    expect(patient(fallback(() => new Response()))).toBeUndefined()
    expect([accept(), fail(), follow(), poll()].map(patient)).toEqual([undefined, undefined, undefined, undefined])
  })

  test.each<[string, () => unknown, string]>([
    ['retry', () => retry({ maxAttempts: 0 }), 'retry: maxAttempts must be a whole number of at least 1, got 0'],
    ['retry', () => retry({ maxAttempts: 1.5 }), 'retry: maxAttempts must be a whole number of at least 1, got 1.5'],
    ['retry', () => retry({ baseMs: -1 }), 'retry: baseMs must be a number of at least 0, got -1'],
    ['retry', () => retry({ capMs: Infinity }), 'retry: capMs must be a number of at least 0, got Infinity'],
    ['retry', () => retry({ maxWaitMs: -1 }), 'retry: maxWaitMs must be a number of at least 0, got -1'],
    ['retry', () => retry({ repeat: 'never' as never }), "retry: repeat must be one of 'idempotent', 'any', got \"never\""],
    ['retry', () => retry({ maxHeld: 1 } as never), 'retry: unknown option "maxHeld"'],
    ['pause', () => pause({ maxHeld: -1 }), 'pause: maxHeld must be a whole number of at least 0, got -1'],
    ['pause', () => pause({ maxHeld: 0.5 }), 'pause: maxHeld must be a whole number of at least 0, got 0.5'],
    ['pause', () => pause({ baseMs: Number.NaN }), 'pause: baseMs must be a number of at least 0, got NaN'],
    ['follow', () => follow({ maxHops: -1 }), 'follow: maxHops must be a whole number of at least 0, got -1'],
    ['follow', () => follow({ maxHops: 1.5 }), 'follow: maxHops must be a whole number of at least 0, got 1.5'],
    ['follow', () => follow({ allowDowngrade: 1 as never }), 'follow: allowDowngrade must be true or false, got 1'],
    ['follow', () => follow({ replayCrossOrigin: 'x' as never }), 'follow: replayCrossOrigin must be true or false, got "x"'],
    [
      'follow',
      () => follow({ strip: 'all' as never }),
      "follow: strip must be one of 'credential-like', 'standard', got \"all\"",
    ],
    ['follow', () => follow({ hops: 1 } as never), 'follow: unknown option "hops"'],
    ['poll', () => poll({ intervalMs: 0 }), 'poll: intervalMs must be a number of at least 1, got 0'],
    ['poll', () => poll({ maxIntervalMs: 0 }), 'poll: maxIntervalMs must be a number of at least 1, got 0'],
    ['poll', () => poll({ intervalMs: 9, maxIntervalMs: 8 }), 'poll: maxIntervalMs must be at least intervalMs, 9, got 8'],
    ['poll', () => poll({ timeoutMs: 0 }), 'poll: timeoutMs must be a number of milliseconds above 0, or false, got 0'],
    ['poll', () => poll({ until: 1 as never }), 'poll: until must be a function, got 1'],
    ['poll', () => poll({ every: 1 } as never), 'poll: unknown option "every"'],
    ['fallback', () => fallback('x' as never), 'fallback: the substitute must be a Response or a function'],
    ['fallback', () => fallback(() => new Response(), { before: 1 } as never), 'fallback: unknown option "before"'],
    ['refresh', () => refresh('s3cret' as never), 'refresh: the source must be a function, got string'],
    ['refresh', () => refresh(source, { eager: 1 as never }), 'refresh: eager must be true or false, got 1'],
    ['refresh', () => refresh(source, { maxAgeMs: 0 }), 'refresh: maxAgeMs must be a number of at least 1, got 0'],
    ['refresh', () => refresh(source, { lazy: true } as never), 'refresh: unknown option "lazy"'],
  ])('%s tells what is wrong with an option', (_name, make, message) => {
    expect(make).toThrow(TypeError)
    expect(make).toThrow(message)
  })

  test('the least and the most that an option may be is taken', () => {
    retry({ maxAttempts: 1, baseMs: 0, capMs: 0, maxWaitMs: Infinity, repeat: 'idempotent' })
    retry({ maxWaitMs: 0, repeat: 'any' })
    pause({ maxHeld: 0 })
    follow({ maxHops: 0, allowDowngrade: false, replayCrossOrigin: true, strip: 'standard' })
    follow({ strip: 'credential-like' })
    poll({ intervalMs: 1, maxIntervalMs: 1, timeoutMs: false, until: () => true })
    refresh(source, { maxAgeMs: 1, eager: false })
    expect(fallback(() => new Response(), { after: retry() }).after).toEqual(retry())
  })
})

describe('what an option may be', () => {
  const fails = (check: () => void): string | undefined => {
    try {
      check()
      return undefined
    } catch (error) {
      return (error as TypeError).message
    }
  }

  test('options are an object', () => {
    expect(fails(() => checkKeys('x', 1 as never, []))).toBe('x: options must be an object, got 1')
    expect(fails(() => checkKeys('x', null as never, []))).toBe('x: options must be an object, got object')
    expect(fails(() => checkKeys('x', { a: 1 }, ['b', 'c']))).toBe('x: unknown option "a"; known are b, c')
    expect(fails(() => checkKeys('x', { b: 1 }, ['b']))).toBeUndefined()
  })

  test.each([
    [5, {}, undefined],
    [5, { max: 5 }, undefined],
    [6, { max: 5 }, 'x: n must be a number from 1 to 5, got 6'],
    [1, {}, undefined],
    [0.9, {}, 'x: n must be a number of at least 1, got 0.9'],
    [1.5, { integer: true }, 'x: n must be a whole number of at least 1, got 1.5'],
    [Infinity, {}, 'x: n must be a number of at least 1, got Infinity'],
    [Infinity, { infinite: true }, undefined],
    ['5', {}, 'x: n must be a number of at least 1, got "5"'],
    [undefined, {}, undefined],
    [null, {}, 'x: n must be a number of at least 1, got object'],
  ])('a number: %o by %o', (value, rule, message) => {
    expect(fails(() => checkNumber('x', 'n', value, { min: 1, ...rule }))).toBe(message)
  })

  test.each<[string, () => void, string | undefined]>([
    ['a flag', () => checkFlag('x', 'f', false), undefined],
    ['no flag', () => checkFlag('x', 'f', 0), 'x: f must be true or false, got 0'],
    ['no flag given', () => checkFlag('x', 'f', undefined), undefined],
    ['a word', () => checkOneOf('x', 'w', 'a', ['a', 'b']), undefined],
    ['another word', () => checkOneOf('x', 'w', 'c', ['a', 'b']), "x: w must be one of 'a', 'b', got \"c\""],
    ['no word', () => checkOneOf('x', 'w', undefined, ['a', 'b']), undefined],
    ['a function', () => checkFunction('x', 'f', () => 1), undefined],
    ['no function', () => checkFunction('x', 'f', {}), 'x: f must be a function, got object'],
    ['no function given', () => checkFunction('x', 'f', undefined), undefined],
    ['a time', () => checkDuration('x', 't', 0.1), undefined],
    ['no limit', () => checkDuration('x', 't', false), undefined],
    ['none given', () => checkDuration('x', 't', undefined), undefined],
    ['no time', () => checkDuration('x', 't', 0), 'x: t must be a number of milliseconds above 0, or false, got 0'],
    ['no end', () => checkDuration('x', 't', Infinity), 'x: t must be a number of milliseconds above 0, or false, got Infinity'],
    ['a text', () => checkDuration('x', 't', '5'), 'x: t must be a number of milliseconds above 0, or false, got "5"'],
  ])('%s', (_case, check, message) => {
    expect(fails(check)).toBe(message)
  })

  test('each member by its rule; one without a rule is not looked at', () => {
    const rules = { n: { min: 1, or: false }, f: 'flag', g: 'function', t: 'duration', w: ['a'], c: () => undefined } as const
    const check = (options: Record<string, unknown>) => fails(() => checkMembers('x', options, rules))
    expect(check({ n: false, f: true, g: () => 1, t: 5, w: 'a', c: 1, other: 1, toString: 1 })).toBeUndefined()
    expect(check({ n: 'auto' })).toContain('n must be a number')
    expect(check({ f: 1 })).toContain('f must be true or false')
    expect(check({ g: 1 })).toContain('g must be a function')
    expect(check({ t: 0 })).toContain('t must be a number of milliseconds')
    expect(check({ w: 'b' })).toContain("w must be one of 'a'")
    const own = {
      c: (owner: string, name: string, value: unknown) => {
        throw new TypeError(`${owner} ${name} ${value}`)
      },
    }
    expect(fails(() => checkMembers('x', { c: 1 }, own))).toBe('x c 1')
  })

  test('what is undefined is not given', () => {
    expect(given({ a: undefined, b: null, c: 0 })).toEqual({ b: null, c: 0 })
  })
})

describe('calls repeat alike', () => {
  const known = new Map<object, number>()
  const idOf = (value: object): number => {
    if (!known.has(value)) known.set(value, known.size)
    return known.get(value) as number
  }
  const text = (on: PolicyTable): string => repetitionOf(mergePolicies('test', {}, on), idOf)
  const decide = (): undefined => undefined

  test.each<[string, PolicyTable, PolicyTable]>([
    ['whatever they make of what is never repeated', { 404: 'accept' }, { 404: 'fail', 200: 'fail', 302: 'accept' }],
    ['with the same policies', { 503: retry({ baseMs: 5 }) }, { 503: retry({ baseMs: 5 }) }],
    ['with the same function', { 503: decide }, { 503: decide }],
    ['with the same source', { 401: refresh(source) }, { 401: refresh(source, { eager: true }) }],
    ['with a fallback after the same', { 503: fallback(() => new Response(), { after: retry() }) }, { 503: retry() }],
    ['by word or by policy', { 503: 'pause' }, { 503: pause() }],
    ['where a class does not repeat anyway', { '2xx': 'fail' }, { '3xx': 'accept' }],
    ['where a class takes away what the code would not repeat', { 404: 'fail' }, {}],
  ])('%s', (_case, one, other) => {
    expect(text(one)).toBe(text(other))
  })

  test.each<[string, PolicyTable, PolicyTable]>([
    ['with another wait', { 503: retry({ baseMs: 5 }) }, { 503: retry({ baseMs: 6 }) }],
    ['with another cap', { 503: retry({ capMs: 5 }) }, { 503: retry({ capMs: 6 }) }],
    ['with another limit', { 503: retry({ maxWaitMs: 5 }) }, { 503: retry({ maxWaitMs: 6 }) }],
    ['with other attempts', { 503: retry({ maxAttempts: 5 }) }, { 503: retry({ maxAttempts: 6 }) }],
    ['for other methods', { 503: retry({ repeat: 'any' }) }, { 503: retry({ repeat: 'idempotent' }) }],
    ['with another number of held calls', { 429: pause({ maxHeld: 5 }) }, { 429: pause({ maxHeld: 6 }) }],
    ['with a retry in the place of a pause', { 429: 'retry' }, { 429: 'pause' }],
    ['with another function', { 503: () => undefined }, { 503: () => undefined }],
    ['with another source', { 401: refresh(async () => undefined) }, { 401: refresh(async () => undefined) }],
    ['for another status', { 503: 'retry' }, { 502: 'retry' }],
    ['where one does not repeat what the table would', { 503: 'fail' }, {}],
    ['where one does not repeat a class that the table would', { '5xx': 'fail' }, {}],
    ['or one of 4xx', { '4xx': 'fail' }, {}],
    ['or a failure of the network', { network: 'fail' }, {}],
    ['or a time limit', { timeout: 'fail' }, {}],
    ['where a function of the class might', { 404: 'fail', '4xx': decide }, { '4xx': decide }],
    ['where a retry of the class would', { 404: 'fail', '4xx': 'retry' }, { '4xx': 'retry' }],
  ])('but not %s', (_case, one, other) => {
    expect(text(one)).not.toBe(text(other))
  })
})
