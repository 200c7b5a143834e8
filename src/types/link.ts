/** A link of a Link field, RFC 8288 §3. */
export interface Link {
  /** Where it leads: an absolute URL, resolved against the target of the request. */
  readonly target: string
  /** Its relation types in lower case, such as `preload`, `preconnect` or `next`; at least one. */
  readonly rel: readonly string[]
  /** What a `preload` is to be used as, such as `style` (Preload §2); undefined without. */
  readonly as: string | undefined
  /**
   * All of its parameters but `rel`, the first of each name, names in lower case; one without a value is empty. The decoded
   * value of `title*` (RFC 8187) stands under `title`, before that of a plain `title`.
   */
  readonly params: Readonly<Record<string, string>>
}
