import { Agent, type buildConnector, type Dispatcher } from 'undici'
import type { Send } from '../types/exchange.ts'
import type { ResolvedOptions } from '../types/options.ts'
import type { Transport } from '../types/transport.ts'
import { connectorOf } from './connector.ts'
import { dispatchSend } from './dispatch.ts'
import { foreignSend } from './foreign.ts'

/** Node's own fetch is a few lines around its internal undici; no replacement can name that module. */
const nodesOwnFetch = /require\(['"]internal\/deps\/undici\/undici['"]\)/

/** The options that say how attempts are sent. */
type SendOptions = Pick<ResolvedOptions, 'transport' | 'dispatcher'>

/** The connections of a client and its children. */
export class Connections {
  readonly #connect: buildConnector.connector
  #agent: Agent | undefined
  #closing: Promise<void> | undefined
  #knownFetch: unknown
  #knownIsNative = true

  constructor({ connectTimeoutMs, clock }: Pick<ResolvedOptions, 'connectTimeoutMs' | 'clock'>) {
    this.#connect = connectorOf(connectTimeoutMs, clock)
  }

  get closed(): boolean {
    return this.#closing !== undefined
  }

  /** How attempts are sent: by the transport, else the dispatcher, else a replaced global fetch, else our own agent. */
  send({ transport, dispatcher }: SendOptions): Send {
    if (transport !== undefined) return foreignSend(transport)
    if (dispatcher !== undefined) return dispatchSend(() => dispatcher as unknown as Dispatcher)
    const direct = dispatchSend(() => this.#ownAgent())
    const replaced = foreignSend(replacedFetch)
    return (attempt) => (this.#fetchIsReplaced() ? replaced(attempt) : direct(attempt))
  }

  /** Waits for the requests under way, then closes every connection. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAgent()
    return this.#closing
  }

  async #closeAgent(): Promise<void> {
    await this.#agent?.close()
  }

  /** msw, nock and stubs replace the global fetch: services under test keep their mocks. */
  #fetchIsReplaced(): boolean {
    const current = globalThis.fetch
    if (current !== this.#knownFetch) {
      this.#knownFetch = current
      this.#knownIsNative = nodesOwnFetch.test(Function.prototype.toString.call(current))
    }
    return !this.#knownIsNative
  }

  #ownAgent(): Agent {
    this.#agent ??= new Agent({ connect: this.#connect, headersTimeout: 0, bodyTimeout: 0 })
    return this.#agent
  }
}

const replacedFetch: Transport = (target, init) => globalThis.fetch(target, init as RequestInit)
