import { AsyncLocalStorage } from 'node:async_hooks'
import type { Agent, Dispatcher } from 'undici'
import type { Attempt, Send } from '../types/exchange.ts'
import type { ResolvedOptions } from '../types/options.ts'
import type { Transport } from '../types/transport.ts'
import { connectorOf } from './connector.ts'
import { dispatchSend } from './dispatch.ts'
import { foreignSend } from './foreign.ts'
import { withLocalSchemes } from './local.ts'
import { Solo } from './solo.ts'
import { trackingAgent } from './tracked-client.ts'

/** Node's own fetch is a few lines around its internal undici; no replacement can name that module. */
const nodesOwnFetch = /require\(['"]internal\/deps\/undici\/undici['"]\)/

/** Marks a fetch of ours: where it takes the place of the global one, that is no replacement to go through. */
export const fetchBrand: unique symbol = Symbol.for('steadfetch.fetch')
/** The target that is asked of a replaced global fetch; one that asks us for it in turn is a wrapper around us. */
const asked = new AsyncLocalStorage<string>()

/** The options that say how connections are opened. */
type ConnectionOptions = Pick<ResolvedOptions, 'connect' | 'connectTimeoutMs' | 'clock' | 'targets'>
/** The options that say how attempts are sent. */
type SendOptions = ConnectionOptions & Pick<ResolvedOptions, 'transport' | 'dispatcher'>

/** The connections of a client and its children: each `connect` option has an agent of its own, and all are closed together. */
export class Connections {
  readonly #agents = new WeakMap<object, () => Agent>()
  readonly #solo = new WeakMap<object, Solo>()
  readonly #guarded = new WeakMap<object, WeakMap<object, object>>()
  readonly #open = new Set<{ close(): Promise<void> }>()
  #closing: Promise<void> | undefined
  #knownFetch: unknown
  #knownIsNative = true

  constructor(options: ConnectionOptions) {
    this.#agents.set(this.#keyOf(options), this.#opener(options))
  }

  get closed(): boolean {
    return this.#closing !== undefined
  }

  /** How attempts are sent: by the transport, else the dispatcher, else a replaced global fetch, else our own agent. */
  send(options: SendOptions): Send {
    return withLocalSchemes(this.#remote(options))
  }

  #remote({ transport, dispatcher, ...options }: SendOptions): Send {
    const { clock, targets } = options
    if (transport !== undefined) return foreignSend(transport)
    if (dispatcher !== undefined) return dispatchSend(() => dispatcher as unknown as Dispatcher, clock)
    const direct = dispatchSend(this.#agentOf(options), clock)
    const replaced = foreignSend(replacedFetch)
    return (attempt) => {
      if (attempt.upgrade !== undefined) this.#soloOf(options).switch(attempt)
      else if (targets?.unseen !== 'own' && this.#fetchIsReplaced(attempt.request.href)) {
        if (isUnseen(targets, attempt)) attempt.failed(unseenError())
        else replaced(attempt)
      } else if (attempt.expectContinue === false) direct(attempt)
      else this.#soloOf(options).ask(attempt, direct)
    }
  }

  /** Waits for the requests under way, then closes every connection. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll()
    return this.#closing
  }

  async #closeAll(): Promise<void> {
    await Promise.all([...this.#open].map((connections) => connections.close()))
  }

  /** msw, nock and stubs replace the global fetch: services under test keep their mocks. */
  #fetchIsReplaced(href: string): boolean {
    const current = globalThis.fetch
    if (current !== this.#knownFetch) {
      this.#knownFetch = current
      this.#knownIsNative = fetchBrand in current || nodesOwnFetch.test(Function.prototype.toString.call(current))
    }
    if (!this.#knownIsNative && asked.getStore() === href) this.#knownIsNative = true
    return !this.#knownIsNative
  }

  /** A child inherits the very `connect` and `targets` of its parent, and with them the agent. */
  #agentOf(options: ConnectionOptions): () => Agent {
    const key = this.#keyOf(options)
    const known = this.#agents.get(key)
    if (known !== undefined) return known
    const opener = this.#opener(options)
    this.#agents.set(key, opener)
    return opener
  }

  /** What connections are found by. Those of rules about addresses are their own: others may lead where they must not. */
  #keyOf({ connect, targets }: ConnectionOptions): object {
    const key = connect ?? this
    if (targets?.looksAtAddresses !== true) return key
    const keys = this.#guarded.get(key) ?? new WeakMap<object, object>()
    this.#guarded.set(key, keys)
    const own = keys.get(targets) ?? {}
    keys.set(targets, own)
    return own
  }

  /** Made for the first request that needs it. */
  #soloOf(options: ConnectionOptions): Solo {
    const key = this.#keyOf(options)
    const known = this.#solo.get(key)
    if (known !== undefined) return known
    const solo = this.#kept(new Solo(options))
    this.#solo.set(key, solo)
    return solo
  }

  /** The agent is made for the first request: most children of a client never send one over connections of their own. */
  #opener({ connect, connectTimeoutMs, clock, targets }: ConnectionOptions): () => Agent {
    let agent: Agent | undefined
    return () => {
      agent ??= this.#kept(trackingAgent(protocolsOf(connect), connectorOf(connect, connectTimeoutMs, clock, targets), clock))
      return agent
    }
  }

  #kept<Kind extends { close(): Promise<void> }>(connections: Kind): Kind {
    this.#open.add(connections)
    if (this.closed) connections.close().catch(() => {})
    return connections
  }
}

/** Whether a rule asks for an address that a replaced fetch does not show. */
function isUnseen(targets: ConnectionOptions['targets'], { request }: Attempt): boolean {
  return targets?.unseen === 'refuse' && targets.verdict(request.origin) === 'open'
}

function unseenError(): TypeError {
  const hint = "targets: { unseen: 'own' } connects without it, 'unchecked' does without the check, as for a mock"
  return new TypeError(
    `targets cannot be checked: the global fetch is replaced, and the addresses it connects to are not seen; ${hint}`,
  )
}

/** The pool waits for ALPN before it opens more connections, unless it is told that there is nothing to wait for. */
function protocolsOf(connect: ConnectionOptions['connect']): { allowH2?: false } {
  return typeof connect === 'object' && connect.allowH2 === false ? { allowH2: false } : {}
}

const replacedFetch: Transport = (target, init) => asked.run(target, () => globalThis.fetch(target, init as RequestInit))
