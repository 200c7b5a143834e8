/** Options of `coalesce`: identical GET and HEAD requests that are under way at the same time are sent once. */
export interface CoalesceOptions {
  /**
   * Most bytes of one content that are kept for callers who read it later than others, and for calls that join after its
   * start. Default 1 MiB.
   */
  readonly maxBytes?: number
}

/** A {@link CoalesceOptions} after validation. */
export type CoalesceConfig = Readonly<Required<CoalesceOptions>>
