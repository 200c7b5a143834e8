import { describe, expect, test } from 'vitest'
import { NetworkError, type NetworkFailure, type TimeLimit, TimeoutError } from '../../src/errors/failures.ts'
import { isHttpError } from '../../src/index.ts'
import { decideResume, isLost } from '../../src/policy/decide-resume.ts'
import { decideRetry, type RetryFacts } from '../../src/policy/decide-retry.ts'
import { pause, retry } from '../../src/policy/policies.ts'
import { progressOf } from '../../src/policy/polling.ts'
import { Window } from '../../src/policy/window.ts'
import type { CallFacts } from '../../src/types/exchange.ts'

const facts: RetryFacts = {
  policy: retry(),
  maxAttempts: 3,
  retries: 0,
  unsent: false,
  idempotent: true,
  repeat: 'idempotent',
  replayable: true,
  retryAfterMs: undefined,
  retryAfterRequired: false,
  forwarded: false,
  heldMs: undefined,
  remainingMs: 30_000,
  elsewhere: false,
  affordable: true,
  repeatedOutside: false,
  random: () => 0.5,
}
const decided = (more: Partial<RetryFacts>) => decideRetry({ ...facts, ...more })

describe('whether a request is sent again', () => {
  test.each<[string, Partial<RetryFacts>, object]>([
    ['after a back-off', {}, { again: true, waitMs: 50, reason: 'backoff' }],
    ['after a longer one each time', { retries: 1 }, { again: true, waitMs: 100, reason: 'backoff' }],
    ['after what the origin asked for', { retryAfterMs: 1_000 }, { again: true, waitMs: 1_100, reason: 'retry-after' }],
    ['after a pause of the origin', { heldMs: 700, retryAfterMs: 500 }, { again: true, waitMs: 700, reason: 'pause' }],
    ['at once elsewhere', { elsewhere: true, retryAfterMs: 9e9 }, { again: true, waitMs: 0, reason: 'failover' }],
    ['not beyond its attempts', { retries: 2 }, { again: false, why: 'attempts spent' }],
    ['nor beyond those of its policy', { policy: retry({ maxAttempts: 1 }) }, { again: false, why: 'attempts spent' }],
    ['if it is not idempotent', { idempotent: false }, { again: false, why: 'method is not idempotent' }],
    ['unless nothing was sent', { idempotent: false, unsent: true }, { again: true, waitMs: 50 }],
    ['unless the status says so', { idempotent: false, repeat: 'any' }, { again: true, waitMs: 50 }],
    ['unless the policy says so', { idempotent: false, policy: retry({ repeat: 'any' }) }, { again: true, waitMs: 50 }],
    ['if its content is gone', { replayable: false }, { again: false, why: 'content cannot be replayed' }],
    ['if somebody else sent it early', { forwarded: true }, { again: false, why: 'sent in early data' }],
    ['if an outer call repeats it', { repeatedOutside: true }, { again: false, why: 'retried by an outer call' }],
    ['without a Retry-After that it needs', { retryAfterRequired: true }, { again: false, why: 'no Retry-After' }],
    ['with one', { retryAfterRequired: true, retryAfterMs: 0 }, { again: true, waitMs: 0, reason: 'retry-after' }],
    ['if the budget is empty', { affordable: false }, { again: false, why: 'retry budget is empty' }],
  ])('%s', (_case, more, verdict) => {
    expect(decided(more)).toMatchObject(verdict)
  })

  test('a wait that ends with the call is too long, one that ends before it is not', () => {
    expect(decided({ remainingMs: 50 })).toEqual({ again: false, why: 'wait does not fit into timeoutMs' })
    expect(decided({ remainingMs: 51 })).toMatchObject({ again: true })
  })

  test('as much as maxWaitMs is waited, and no more; that is told before anything else', () => {
    const policy = retry({ maxWaitMs: 1_000 })
    expect(decided({ policy, retryAfterMs: 1_000 })).toMatchObject({ again: true })
    expect(decided({ policy, retryAfterMs: 1_001 })).toEqual({ again: false, why: 'wait is above maxWaitMs' })
    expect(decided({ policy, retryAfterMs: 1_001, affordable: false })).toEqual({ again: false, why: 'wait is above maxWaitMs' })
  })

  test('a pause may be longer than maxWaitMs by its jitter', () => {
    const policy = pause({ maxWaitMs: 1_000 })
    expect(decided({ policy, heldMs: 1_200 })).toMatchObject({ again: true, waitMs: 1_200 })
    expect(decided({ policy, heldMs: 1_201 })).toEqual({ again: false, why: 'wait is above maxWaitMs' })
  })
})

describe('whether a download is continued', () => {
  const config = { maxAttempts: 3, maxResumptions: 100, baseMs: 100, capMs: 5_000 }
  const resumed = (more: object) =>
    decideResume({ config, inRow: 0, inAll: 0, remainingMs: 1_000, affordable: true, random: () => 0.5, ...more } as never)

  test.each([
    ['after a back-off', {}, { again: true, waitMs: 50, reason: 'resume' }],
    ['after a longer one without a byte in between', { inRow: 1 }, { again: true, waitMs: 100, reason: 'resume' }],
    ['not beyond its attempts in a row', { inRow: 3 }, { again: false, why: 'resumptions spent' }],
    ['not beyond all of them', { inAll: 100 }, { again: false, why: 'resumptions spent' }],
    ['not where the wait ends with the call', { remainingMs: 50 }, { again: false, why: 'wait does not fit into timeoutMs' }],
    ['where it ends before', { remainingMs: 51 }, { again: true, waitMs: 50, reason: 'resume' }],
    ['not where the budget is empty', { affordable: false }, { again: false, why: 'retry budget is empty' }],
  ])('%s', (_case, more, verdict) => {
    expect(resumed(more)).toEqual(verdict)
  })

  const call = { request: { method: 'GET', url: 'https://a.test/' }, attempts: 1, elapsedMs: 0 } as unknown as CallFacts
  const network = (kind: NetworkFailure): unknown => new NetworkError(kind, 'maybe', 'failed', call)
  const timeout = (kind: TimeLimit): unknown => new TimeoutError(kind, 100, call)

  test.each([
    ['the connection was lost', network('reset'), true],
    ['it was cut short', network('truncated'), true],
    ['it was silent', timeout('idle'), true],
    ['the bytes were no HTTP', network('protocol'), false],
    ['the call took too long', timeout('call'), false],
    ['a foreign transport lost it', new TypeError('terminated', { cause: { code: 'ECONNRESET' } }), true],
    ['it was given up', new DOMException('aborted', 'AbortError'), false],
    ['somebody made a mistake', new TypeError('x is not a function'), false],
  ])('where %s: its body has failed by %s', (_case, error, lost) => {
    expect(isHttpError(error)).toBe(false)
    expect(isLost(error)).toBe(lost)
  })
})

describe('how accepted work is getting on', () => {
  test.each([
    [{ status: 'Not Started' }, 'pending'],
    [{ status: 'IN_PROGRESS' }, 'pending'],
    [{ status: 'aborted' }, 'failed'],
    [{ status: 'Timed-Out' }, 'failed'],
    [{ status: 'Cancelled' }, 'failed'],
    [{ status: 'canceled' }, 'failed'],
    [{ status: 'failed' }, 'failed'],
    [{ status: 'Succeeded' }, 'done'],
    [{ done: false, error: {} }, 'pending'],
    [{ done: true, error: null }, 'done'],
    [{ done: true, error: { code: 1 } }, 'failed'],
    [{ done: 'yes' }, undefined],
    [null, undefined],
    ['running', undefined],
  ])('%j says: %s', (document, progress) => {
    expect(progressOf(document)).toBe(progress)
  })
})

describe('a window', () => {
  test('forgets nothing when it is told an earlier time', () => {
    const window = new Window(1_000)
    window.count(true, 950)
    window.slide(100)
    window.slide(1_000)
    expect([window.all, window.marked]).toEqual([1, 1])
  })

  test('forgets what is older than itself, part by part', () => {
    const window = new Window(1_000)
    window.count(true, 0)
    window.count(false, 500)
    window.slide(999)
    expect([window.all, window.marked]).toEqual([2, 1])
    window.slide(1_000)
    expect([window.all, window.marked]).toEqual([1, 0])
    window.slide(1_500)
    expect(window.all).toBe(0)
  })
})
