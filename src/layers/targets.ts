import { refusedOutcome } from '../policy/classify.ts'
import { fail } from '../policy/policies.ts'
import { faultText } from '../policy/targets.ts'
import type { FailureOutcome, Layer } from '../types/exchange.ts'
import type { TargetGuard, TargetVerdict } from '../types/targets.ts'

/** Refuses a request to a target that is forbidden, of whatever hop of a call, before anything is done about it. */
export function targetsLayer(guard: TargetGuard): Layer {
  return (next) => (exchange) => {
    const { href, origin } = exchange.request
    let verdict: TargetVerdict
    try {
      // What has no host, data: and blob:, is no target to be asked.
      verdict = href.startsWith('http') ? guard.verdict(origin) : 'scheme'
    } catch (error) {
      // A function of the caller threw.
      return Promise.resolve({ kind: 'failure', error, sent: 'no', policy: fail() } satisfies FailureOutcome)
    }
    if (verdict === 'allowed' || verdict === 'open') return next(exchange)
    return Promise.resolve(refusedOutcome(exchange, 'target forbidden', faultText(verdict)))
  }
}
