/** Options of `resume`: how the rest of a download that broke off is asked for, RFC 9110 §14.2. */
export interface ResumeOptions {
  /** Resumptions in a row that bring no further byte before the download fails. Default 3. */
  readonly maxAttempts?: number
  /** Resumptions of one download in all. Default 100. */
  readonly maxResumptions?: number
  /** Back-off before the first resumption of a row, in milliseconds, doubled for each further one. Default 100. */
  readonly baseMs?: number
  /** Upper limit of the back-off, in milliseconds; it never shortens a Retry-After. Default 5,000. */
  readonly capMs?: number
}

/** A {@link ResumeOptions} after validation. */
export type ResumeConfig = Readonly<Required<ResumeOptions>>
