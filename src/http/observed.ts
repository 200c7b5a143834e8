import type { Observation } from '../observation.ts'
import type { Received } from '../types/exchange.ts'
import { withBody } from './received.ts'
import { tapped } from './tap.ts'

/** The response, observed to the end of its content where anybody observes. */
export function observed(received: Received, observation: Observation | undefined): Received {
  if (observation === undefined) return received
  observation.answered(received)
  const { body } = received
  if (body === null) {
    observation.ended()
    return received
  }
  return withBody(
    received,
    tapped(body, {
      part: (part) => observation.content.add(part),
      end: () => observation.ended(),
      fail: (error) => observation.ended(error),
    }),
  )
}
