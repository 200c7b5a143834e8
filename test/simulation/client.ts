import type { Chance } from './chance.ts'
import type { VirtualClock } from './clock.ts'
import type { Answer } from './site.ts'

/** What a client process has: time, chance, and the network. */
export interface Surroundings {
  readonly clock: VirtualClock
  readonly random: Chance
  /** How many servers there are to choose from. */
  readonly servers: number
  /** Sends a request of a call to one of the servers, counted from 0; `answered` may never be called. */
  readonly send: (call: number, server: number, answered: (answer: Answer) => void) => void
}

/** Opens the client of one process; it makes a GET call and resolves to whether it succeeded. */
export type Open = (surroundings: Surroundings) => (call: number) => Promise<boolean>

/** The time limit of an attempt of every client, in milliseconds. */
export const attemptTimeoutMs = 1_000
