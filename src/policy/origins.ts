import type { HopRequest } from '../types/exchange.ts'
import { Gate } from './gate.ts'

/** State of one feature for one origin. */
interface Part {
  /** Whether forgetting it would make a difference. */
  readonly busy: boolean
}

/** Most origins a client remembers, and most configurations of features per origin. */
const maxOrigins = 1_000
const maxParts = 32

/** What a client and its children remember of one origin. */
export class OriginState {
  readonly origin: string
  readonly gate: Gate = new Gate()
  readonly #parts = new Map<object, Part>()

  constructor(origin: string) {
    this.origin = origin
  }

  get busy(): boolean {
    return this.gate.busy || [...this.#parts.values()].some((part) => part.busy)
  }

  /** The state of a feature, if there is one. */
  known(config: object): Part | undefined {
    return this.#parts.get(config)
  }

  /** The state of a feature; clients with the very same configuration of it share it. */
  part<Config extends object, State extends Part>(config: Config, Kind: new (config: Config, origin: string) => State): State {
    const known = this.#parts.get(config)
    if (known !== undefined) return known as State
    const part = new Kind(config, this.origin)
    if (this.#parts.size >= maxParts) forgetOldest(this.#parts)
    this.#parts.set(config, part)
    return part
  }
}

/** The per-origin state of a client and its children, bounded: the origin unused for longest is forgotten. */
export class Origins {
  readonly #states = new Map<string, OriginState>()
  #latest: OriginState | undefined

  /** The state of a canonical origin, as `URL.origin` gives it. */
  of(origin: string): OriginState {
    if (this.#latest !== undefined && origin === this.#latest.origin) return this.#latest
    const state = this.#states.get(origin) ?? new OriginState(origin)
    this.#states.delete(origin)
    if (this.#states.size >= maxOrigins) forgetOldest(this.#states)
    this.#states.set(origin, state)
    this.#latest = state
    return state
  }

  /** What is remembered of a feature, origin by origin. */
  parts<Config extends object, State extends Part>(config: Config, Kind: new (config: Config, origin: string) => State): State[] {
    return [...this.#states.values()].flatMap((state) => {
      const part = state.known(config)
      return part instanceof Kind ? [part] : []
    })
  }

  /** The state of what a request is for: one origin, or several endpoints that are one service. */
  ofService({ service, origin }: Pick<HopRequest, 'service' | 'origin'>): OriginState {
    return this.of(service ?? origin)
  }
}

/** What is busy is kept while something else can go: to forget a closed gate would let calls through early. */
function forgetOldest<Key>(known: Map<Key, Part>): void {
  const keys = [...known.keys()]
  const victim = keys.find((key) => known.get(key)?.busy === false) ?? keys[0]
  if (victim !== undefined) known.delete(victim)
}
