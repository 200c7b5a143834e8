import { AsyncResource } from 'node:async_hooks'
import { BodyError } from '../errors/body-error.ts'
import type { Exchange } from '../exchange.ts'
import type { Received } from '../types/exchange.ts'
import { withBody } from './received.ts'
import { isCoded, lengthOf } from './representation.ts'
import { tapped } from './tap.ts'

/** Whether the content of responses is looked at on its way. */
export function isLookedAt({ options }: Exchange): boolean {
  return typeof options.maxResponseBytes === 'number' || options.onDownloadProgress !== undefined
}

/**
 * The response with its content held to `maxResponseBytes`, and its progress told.
 *
 * @throws BodyError of kind `'too large'` when its Content-Length says so already; then nothing of it is read.
 */
export function limited(exchange: Exchange, received: Received): Received {
  const { body } = received
  const { maxResponseBytes, onDownloadProgress } = exchange.options
  const max = typeof maxResponseBytes === 'number' ? maxResponseBytes : Infinity
  const totalBytes = lengthToCome(received)
  if (body === null) return received
  if (totalBytes !== undefined && totalBytes > max) {
    const error = tooLarge(exchange, max)
    received.release(error)
    throw error
  }
  const context = onDownloadProgress && new AsyncResource('STEADFETCH_DOWNLOAD')
  let receivedBytes = 0
  const tell = (): void => {
    if (onDownloadProgress !== undefined) context?.runInAsyncScope(onDownloadProgress, undefined, { receivedBytes, totalBytes })
  }
  return withBody(
    received,
    tapped(body, {
      anew() {
        receivedBytes = 0
      },
      part(part) {
        receivedBytes += part.byteLength
        if (receivedBytes > max) throw tooLarge(exchange, max)
        tell()
      },
    }),
  )
}

function tooLarge(exchange: Exchange, max: number): unknown {
  return exchange.shown(new BodyError('too large', `the content is larger than ${max} bytes`, exchange.facts()))
}

/** The length that the reader will see, where it is told. */
function lengthToCome(received: Received): number | undefined {
  const length = isCoded(received) ? undefined : lengthOf(received)
  return length === 'invalid' ? undefined : length
}
