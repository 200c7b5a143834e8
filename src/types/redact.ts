/** Names of the caller's own that are treated as those of the usual list; letter case does not matter. */
export interface RedactOptions {
  /** Fields whose values are credentials: masked, and not sent on when a redirect leads to another origin. */
  readonly fields?: readonly string[]
  /** Parameters of a query or a form, and members of JSON content, whose values are masked. */
  readonly parameters?: readonly string[]
}

/** The caller's own names after validation, in lower case. */
export interface OwnNames {
  readonly fields: ReadonlySet<string>
  readonly parameters: ReadonlySet<string>
}
