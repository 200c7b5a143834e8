import { mergeFields, noFields, withField } from '../http/fields.ts'
import type { Fields } from '../types/exchange.ts'
import type { RefreshInput, RefreshPolicy } from '../types/policy.ts'

/** The credentials that one source has given for one origin. */
export class Credentials {
  readonly #policy: RefreshPolicy
  #fields: Fields = noFields
  #obtainedMs = -Infinity
  #refreshing: Promise<boolean> | undefined
  /** Goes up with each refresh: what was sent with an earlier one says nothing about the present. */
  generation = 0

  constructor(policy: RefreshPolicy) {
    this.#policy = policy
  }

  /** A token that is lost is only asked for again; but not while it is being asked for. */
  get busy(): boolean {
    return this.#refreshing !== undefined
  }

  /** Whether nothing should be sent before the source was asked. */
  isDue(nowMs: number): boolean {
    const { eager, maxAgeMs } = this.#policy
    if (this.busy) return true
    if (this.#fields.length === 0) return eager === true
    return maxAgeMs !== undefined && nowMs - this.#obtainedMs >= maxAgeMs
  }

  /** Those of a request with the credentials in the place of its own. */
  applied(fields: Fields): Fields {
    let all = fields
    for (let index = 0; index < this.#fields.length; index += 2)
      all = withField(all, this.#fields[index] as string, this.#fields[index + 1] as string)
    return all
  }

  /** Asks the source, once for all who want to know; true when there are credentials. */
  refresh(input: RefreshInput, now: () => number): Promise<boolean> {
    this.#refreshing ??= this.#ask(input, now)
    return this.#refreshing
  }

  async #ask(input: RefreshInput, now: () => number): Promise<boolean> {
    try {
      // In a turn of its own: whoever asks while the source begins must find it under way.
      await undefined
      this.#fields = noFields
      const given = await this.#policy.source(input)
      if (given === undefined || given === null) return false
      this.#fields = mergeFields(noFields, given)
      this.#obtainedMs = now()
      return this.#fields.length > 0
    } finally {
      this.generation += 1
      this.#refreshing = undefined
    }
  }
}
