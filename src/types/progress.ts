/** How far the content of a response has come; see the option `onDownloadProgress`. */
export interface DownloadProgress {
  /** Bytes so far, without their coding. */
  readonly receivedBytes: number
  /** Bytes in all, where the response tells it. */
  readonly totalBytes: number | undefined
}

/** How far the content of a request has come; see the option `onUploadProgress`. */
export interface UploadProgress {
  /** Bytes that the connection has taken so far. */
  readonly sentBytes: number
  /** Bytes in all; undefined for a stream. */
  readonly totalBytes: number | undefined
  /** How often the content has been sent, this time included: a repeated request begins at 0 again. */
  readonly attempt: number
}
