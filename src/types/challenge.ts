/** One way to authenticate that an origin or a proxy asks for, RFC 9110 §11.3. */
export interface Challenge {
  /** The scheme in lower case: `'bearer'`, `'basic'` … */
  readonly scheme: string
  /** What follows the scheme as one piece, where it does. */
  readonly token?: string
  /** The parameters, their names in lower case. */
  readonly parameters: Readonly<Record<string, string>>
}
