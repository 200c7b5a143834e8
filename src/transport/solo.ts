import type { Agent } from 'undici'
import type { Clock } from '../clock.ts'
import type { Attempt, Send } from '../types/exchange.ts'
import type { ResolvedOptions } from '../types/options.ts'
import { type Connect, connectorOf } from './connector.ts'
import { dispatchSend } from './dispatch.ts'
import { Asking } from './expect.ts'
import { mayAsk } from './question.ts'
import { speaksHttp2, trackingAgent } from './tracked-client.ts'

type Options = Pick<ResolvedOptions, 'connect' | 'connectTimeoutMs' | 'clock' | 'targets'>

/** Requests that have a connection to themselves: they switch protocols, or ask before they send their content. */
export class Solo {
  readonly #connect: Connect
  readonly #connectHttp1: Connect
  readonly #clock: Clock
  readonly #asking = new Set<Asking>()
  #emptied: (() => void) | undefined
  #agent: Agent | undefined
  /** Sends an attempt that switches protocols, which HTTP/1.1 alone can (RFC 9110 §7.8). */
  readonly switch: Send

  constructor({ connect, connectTimeoutMs, clock, targets }: Options) {
    this.#connect = connectorOf(connect, connectTimeoutMs, clock, targets)
    const options = typeof connect === 'function' ? connect : { ...connect, allowH2: false }
    this.#connectHttp1 = http1Alone(connectorOf(options, connectTimeoutMs, clock, targets))
    this.#clock = clock
    this.switch = dispatchSend(() => this.#agentOf(), clock)
  }

  /** Sends an attempt that asks before it sends its content; `plainly` sends one that cannot. */
  ask(attempt: Attempt, plainly: Send): void {
    const { content } = attempt.request
    if (content === null || !mayAsk(attempt.request, content)) {
      plainly(attempt)
      return
    }
    const over = (request: Asking): void => {
      this.#asking.delete(request)
      if (this.#asking.size === 0) this.#emptied?.()
    }
    const request = new Asking(attempt, content, { connect: this.#connect, clock: this.#clock, plainly, over })
    this.#asking.add(request)
    request.send()
  }

  /** Waits for the requests under way, then closes the connections; those that were switched are not its own any more. */
  async close(): Promise<void> {
    await this.#agent?.close()
    if (this.#asking.size === 0) return
    await new Promise<void>((resolve) => {
      this.#emptied = resolve
    })
  }

  #agentOf(): Agent {
    this.#agent ??= trackingAgent({ allowH2: false }, this.#connectHttp1, this.#clock)
    return this.#agent
  }
}

/** The code of a TLS handshake in which there is no common protocol. */
const noHttp1 = 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL'

/** A connector of the caller's may choose HTTP/2 all the same. */
function http1Alone(connect: Connect): Connect {
  return (options, callback) =>
    connect(options, (...result) => {
      const [, socket] = result
      if (!socket || !speaksHttp2(socket)) callback(...result)
      else {
        socket.on('error', () => {}).destroy()
        callback(Object.assign(new Error('the connection speaks HTTP/2, HTTP/1.1 is needed'), { code: noHttp1 }), null)
      }
    })
}
