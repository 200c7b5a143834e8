import type { Bytes } from '../types/body.ts'
import type { Received } from '../types/exchange.ts'
import { decodeUtf8 } from './collect.ts'
import { withBody } from './received.ts'
import { tapped } from './tap.ts'

/** Longest content that is looked into. */
const peekBytes = 65_536

/** A response whose content was looked into, and can still be read from its start. */
export interface Peeked {
  readonly received: Received
  /** The content; undefined when it is longer than what is looked into, or failed. */
  readonly text: string | undefined
}

/** Looks into short content. */
export function peeked(received: Received): Promise<Peeked> {
  const { body } = received
  if (body === null) return Promise.resolve({ received, text: '' })
  return new Promise((resolve) => {
    const parts: Bytes[] = []
    let size = 0
    let kept: Received | undefined
    // A short body may end while it is being attached: it is told of once there is somebody to tell.
    let early: { readonly text: string | undefined } | undefined
    const settle = (text: string | undefined): void => {
      if (kept === undefined) early ??= { text }
      else resolve({ received: kept, text })
    }
    const out = tapped(body, {
      part(part) {
        size += part.byteLength
        if (size <= peekBytes) parts.push(part)
        else settle(undefined)
      },
      end: () => settle(decodeUtf8(parts)),
      fail: () => settle(undefined),
    })
    kept = withBody(received, out)
    if (early !== undefined) settle(early.text)
  })
}
