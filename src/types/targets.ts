/** A named set of addresses and host names, by the special-purpose registries of IANA (RFC 6890) and the special-use names (RFC 6761). */
export type TargetSet =
  | 'unspecified'
  | 'loopback'
  | 'private'
  | 'shared'
  | 'link-local'
  | 'multicast'
  | 'documentation'
  | 'benchmarking'
  | 'reserved'
  | 'metadata'
  | 'local-names'

/** What a {@link TargetFunction} is asked about. */
export interface TargetInput {
  readonly scheme: 'http' | 'https'
  /** The host as it is looked up: lower case, punycode, no brackets, no dot at its end. */
  readonly host: string
  readonly port: number
  /** The IP address that is connected to; undefined before a host name is looked up. */
  readonly address: string | undefined
}

/** Whether a target is meant; asked about each request, and once more about each address before it is connected to. */
export type TargetFunction = (target: TargetInput) => boolean

/**
 * What targets are meant: a {@link TargetSet}, a host (`'example.com'`), the hosts below one (`'*.example.com'`), an IP address
 * or a CIDR block, each of these but sets and blocks with a port if need be (`'example.com:8443'`), or a function. A host of
 * one label is written with a dot at its end or a port (`'db.'`, `'db:80'`), `localhost` aside.
 */
export type TargetRule = TargetSet | (string & {}) | TargetFunction

/** Options of `targets`: where requests may go. */
export interface TargetOptions {
  /** The only targets that may be asked, if given. A host that is allowed by name may have any address that is not denied. */
  readonly allow?: readonly TargetRule[]
  /** Targets that must not be asked, whatever `allow` says. */
  readonly deny?: readonly TargetRule[]
  /** The only schemes that may be used. Default both; `data:` and `blob:` are never fetched by a client with `targets`. */
  readonly schemes?: readonly ('http' | 'https')[]
  /** The only ports that may be used. Default all. */
  readonly ports?: readonly number[]
  /**
   * What becomes of a host name where the address that is connected to cannot be seen, although a rule asks for it. By default a
   * `transport`, a `dispatcher` or a Unix socket is refused when the client is made, a call through a replaced global fetch when
   * it is made, and a connection of a `connect` function that shows no address before anything is sent over it.
   * `'own'` connects itself although the global fetch is replaced; `'unchecked'` does without the check, as for a mock in a test
   * or a proxy that has rules of its own: names and addresses in targets are checked still, those from the DNS are not.
   */
  readonly unseen?: 'own' | 'unchecked'
}

/** Why a target is forbidden. */
export type TargetFault = 'scheme' | 'port' | 'host' | 'address'

/** What is known of a target before it is connected to; `'open'` until its address is seen. */
export type TargetVerdict = 'allowed' | 'open' | TargetFault

/** The option `targets` after validation, as layers and transports ask it. */
export interface TargetGuard {
  /** Whether some rule is about the address that is connected to. */
  readonly looksAtAddresses: boolean
  /** What to do where that cannot be seen. */
  readonly unseen: 'refuse' | 'own' | 'unchecked'
  /** The same for the same rules, in other processes too; functions are known in this one alone. */
  readonly key: string
  /** The verdict on a canonical origin, as `URL.origin` gives it. */
  verdict(origin: string): TargetVerdict
  /** Whether that address may be connected to for this target; without one, whether it may where none is seen. */
  admits(target: { readonly protocol: string; readonly hostname: string; readonly port: string }, address?: string): boolean
}
