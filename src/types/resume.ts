/** Options of `resume`: how a download goes on that was cut short. */
export interface ResumeOptions {
  /** Requests for the rest in a row that bring nothing, before the download fails. Default 3. */
  readonly maxAttempts?: number
  /** Back-off before such a request, in milliseconds, doubled for each further one. Default 100. */
  readonly baseMs?: number
  /** Upper limit of the back-off, in milliseconds. Default 5,000. */
  readonly capMs?: number
}

/** A {@link ResumeOptions} after validation. */
export type ResumeConfig = Readonly<Required<ResumeOptions>>
