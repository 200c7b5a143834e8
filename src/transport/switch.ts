import { NetworkError } from '../errors/failures.ts'
import { type WireFields, wireField } from '../http/received.ts'
import { statusRow } from '../status/table.ts'
import type { Attempt } from '../types/exchange.ts'

/** The failure of a request that got a status which switches protocols, and did not ask for it. */
export function unexpectedSwitch(attempt: Attempt, status: number): NetworkError {
  return new NetworkError('protocol', 'maybe', `an unexpected ${status} switched the protocol`, attempt.facts())
}

/** Why the connection must not be switched; undefined when it is to what the attempt asked for, RFC 9110 §7.8. */
export function switchRefusal(attempt: Attempt, status: number, fields: WireFields): NetworkError | undefined {
  const { upgrade } = attempt
  if (upgrade === undefined || !statusRow(status).switches === true) return unexpectedSwitch(attempt, status)
  const chosen = protocols(wireField(fields, 'upgrade') ?? '')
  const asked = protocols(upgrade)
  if (chosen.length > 0 && chosen.every((name) => asked.includes(name))) return undefined
  const summary = `the answer switched to ${JSON.stringify(chosen.join(', '))}, which is not ${JSON.stringify(upgrade)}`
  return new NetworkError('protocol', 'maybe', summary, attempt.facts())
}

function protocols(field: string): string[] {
  return field
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}
