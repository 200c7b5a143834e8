import type { Clock } from '../clock.ts'
import { recordOf, withFields } from '../http/fields.ts'
import type { RefreshPolicy } from '../types/credentials.ts'
import type { Fields } from '../types/exchange.ts'

/** Milliseconds after which a refresh that has not ended is given up; calls within it end by then, too. */
export const longestRefreshMs = 30_000

/** The fields that a source gave at one time: an answer refuses these, not those that came after them. */
export class Grant {
  readonly sinceMs: number
  readonly #fields: Fields
  /** The fields of a client are the same in most of its calls, and so is what becomes of them. */
  #latest: { readonly given: Fields; readonly sent: Fields } | undefined

  constructor(fields: Fields, sinceMs: number) {
    this.#fields = fields
    this.sinceMs = sinceMs
  }

  /** The fields by name. */
  get record(): Record<string, string> {
    return recordOf(this.#fields)
  }

  /** These in the place of any of their names. */
  over(given: Fields): Fields {
    if (this.#latest?.given !== given) this.#latest = { given, sent: withFields(given, this.#fields) }
    return this.#latest.sent
  }
}

/** One refresh, for all that wait for it. */
interface Turn {
  readonly startMs: number
  /** Whoever was sent before that shares what comes of it: everybody while it is under way, nobody once it brought credentials. */
  sharedUntilMs: number
  result: Promise<Grant | undefined> | undefined
}

/** The credentials that one source gives for one origin. Holds state and decides; knows nothing of calls. */
export class Credentials {
  #grant: Grant | undefined
  #turn: Turn | undefined

  /** Those to send; undefined when there are none, or none are known yet. */
  get grant(): Grant | undefined {
    return this.#grant
  }

  get busy(): boolean {
    return this.#grant !== undefined || this.#turn?.sharedUntilMs === Infinity
  }

  /** Whether a request must not be sent yet: they are being asked for, are too old, or are wanted from the first request on. */
  isDue({ eager, maxAgeMs = Infinity }: RefreshPolicy, nowMs: number): boolean {
    if (this.#turn?.sharedUntilMs === Infinity && !hangs(this.#turn, nowMs)) return true
    return this.#grant === undefined ? eager === true : nowMs - this.#grant.sinceMs >= maxAgeMs
  }

  /**
   * New credentials, asked for by `ask` unless somebody did already. Where the source fails or has none, all requests that
   * were under way by then share that: a hundred that are refused one after the other do not ask a hundred times.
   *
   * @param sentMs when the request was sent that was refused; now for one that is not sent yet.
   */
  renewed(sentMs: number, clock: Clock, ask: () => Promise<Fields | undefined>): Promise<Grant | undefined> {
    const nowMs = clock.now()
    const known = this.#turn
    if (known?.result !== undefined && sentMs < known.sharedUntilMs && !hangs(known, nowMs)) return known.result
    const turn: Turn = { startMs: nowMs, sharedUntilMs: Infinity, result: undefined }
    this.#turn = turn
    turn.result = this.#asked(turn, clock, ask)
    return turn.result
  }

  async #asked(turn: Turn, clock: Clock, ask: () => Promise<Fields | undefined>): Promise<Grant | undefined> {
    let grant: Grant | undefined
    try {
      const fields = await ask()
      // They are as old as the question: what was given in the answer may have been valid since then.
      if (fields !== undefined) grant = new Grant(fields, turn.startMs)
      // If the source throws, the old ones stay: it may not have been them that were refused, but the request.
      if (this.#turn === turn) this.#grant = grant
    } finally {
      turn.sharedUntilMs = grant === undefined ? clock.now() : -Infinity
    }
    return grant
  }
}

/** Whether a source takes so long that whoever comes now asks anew. */
function hangs({ startMs, sharedUntilMs }: Turn, nowMs: number): boolean {
  return sharedUntilMs === Infinity && nowMs - startMs >= longestRefreshMs
}
