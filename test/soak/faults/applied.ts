// What was applied at the servers: the content that came, and whether anything that must come once came twice.
import { uploadOf } from './content.ts'

/** A request as far as its effect goes. */
export interface Effect {
  readonly method: string
  readonly path: string
  readonly key: string
  /** Values of fields, by their names in lower case. */
  readonly fields: Readonly<Record<string, string | undefined>>
  /** Undefined while it has not come whole. */
  readonly content: Buffer | undefined
}

/** Keeps account over all servers of the process. */
export class Applied {
  /** What was not as it must be. */
  readonly violations: string[] = []
  readonly #once = new Map<string, string>()

  /** Notes a request that is answered with this reply; one that a reply ends with a star for is not applied. */
  note({ method, path, key, fields, content }: Effect, reply: string): void {
    const form = fields['x-upload']
    if (content !== undefined && form !== undefined && (method === 'POST' || method === 'PUT')) {
      const isRight = form === 'exact' ? content.equals(Buffer.from(uploadOf(key))) : content.includes(uploadOf(key))
      if (!isRight) this.#add(`${method} ${path} came with ${content.length} bytes that are not its content`)
    }
    const isSafeTwice = !['POST', 'PATCH'].includes(method) || fields['idempotency-key'] !== undefined
    if (isSafeTwice) return
    const before = this.#once.get(key)
    if (before !== undefined) this.#add(`${method} ${path} came again (${reply}) after it was answered with: ${before}`)
    if (!reply.endsWith('*')) this.#once.set(key, reply)
  }

  #add(violation: string): void {
    if (this.violations.length < 20) this.violations.push(violation)
  }
}
