import type { Explanation } from '../explain.ts'
import { statusRow } from '../status/table.ts'
import type { AttemptTrace, Trace, WaitReason } from '../types/trace.ts'

const reasons: Readonly<Record<WaitReason, string>> = {
  backoff: 'back-off',
  'retry-after': 'Retry-After',
  pause: 'the origin is paused',
  failover: 'another endpoint is asked',
  'rate limit': 'the rate limit',
  queue: 'the queue for a place',
  resume: 'the body broke off',
}
const repeats = { never: 'never', idempotent: 'idempotent methods and keyed requests', any: 'any method' } as const
const retryAfterRules: Readonly<Record<string, string>> = {
  ignored: 'ignored',
  waits: 'is waited for',
  pauses: 'pauses the whole origin',
  required: 'is the condition of a repeat',
}

/** A trace as lines for a person: attempts, the waits before them, redirects, the total. */
export function timeline(trace: Trace): string {
  const lines: string[] = []
  let hop = 0
  for (const [index, attempt] of trace.attempts.entries()) {
    if (attempt.waitMs > 0)
      lines.push(line('', 'wait', `${milliseconds(attempt.waitMs)}, ${reasons[attempt.waitReason ?? 'backoff']}`))
    lines.push(line(milliseconds(attempt.startMs), `attempt ${index + 1}`, `${attempt.method} ${attempt.url}`))
    lines.push(line(milliseconds(attempt.startMs + attempt.durationMs), '', `← ${answer(attempt)}`))
    const redirect = trace.redirects[hop]
    if (redirect !== undefined && redirect.status === attempt.status && redirect.from === attempt.url) {
      lines.push(line('', 'redirect', `→ ${redirect.to}`))
      hop += 1
    }
  }
  if (trace.notRepeated !== undefined) lines.push(line('', 'not repeated', trace.notRepeated))
  lines.push(line(milliseconds(trace.totalMs), 'total', counted(trace.attempts.length)))
  return `${lines.join('\n')}\n`
}

/** An explanation as lines for a person. */
export function explanationText(explanation: Explanation): string {
  const { status, phrase, policy, source, repeat, retryAfter, error, reference } = explanation
  const origin = { exact: 'set for this code', class: 'set for its class', 'built-in': 'built in' }[source]
  const lines = [
    `${status}${phrase === '' ? '' : ` ${phrase}`} (${reference})`,
    `  policy       ${policy.kind}, ${origin}`,
    `  repeats      ${repeats[repeat]}`,
    `  Retry-After  ${retryAfterRules[retryAfter] ?? retryAfter}`,
    `  gives up as  ${error ?? 'nothing is thrown'}`,
  ]
  return `${lines.join('\n')}\n`
}

function answer({ status, error }: AttemptTrace): string {
  if (status === undefined) return error ?? 'no answer'
  const { phrase } = statusRow(status)
  return phrase === '' ? `${status}` : `${status} ${phrase}`
}

function line(time: string, what: string, text: string): string {
  return `${time.padStart(10)}  ${what.padEnd(12)}  ${text}`
}

function milliseconds(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
}

function counted(attempts: number): string {
  return `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`
}
