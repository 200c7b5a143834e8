import { Gate } from './gate.ts'

/** What a client remembers of one origin. */
export interface OriginState {
  readonly gate: Gate
}

/** Most origins a client remembers. */
const maxOrigins = 1_000

/** The per-origin state of a client and its children, bounded: the origin unused for longest is forgotten. */
export class Origins {
  readonly #states = new Map<string, OriginState>()
  #latest: OriginState | undefined
  #latestOrigin = ''

  /** The state of a canonical origin, as `URL.origin` gives it. */
  of(origin: string): OriginState {
    if (this.#latest !== undefined && origin === this.#latestOrigin) return this.#latest
    const state = this.#states.get(origin) ?? { gate: new Gate() }
    this.#states.delete(origin)
    this.#states.set(origin, state)
    if (this.#states.size > maxOrigins) this.#forgetOldest()
    this.#latest = state
    this.#latestOrigin = origin
    return state
  }

  /** An origin under a pause is kept while others can go: forgetting its gate would let calls through early. */
  #forgetOldest(): void {
    const known = [...this.#states].slice(0, -1)
    const victim = known.find(([, state]) => !state.gate.busy) ?? known[0]
    if (victim !== undefined) this.#states.delete(victim[0])
  }
}
