import { createHash } from 'node:crypto'

/** The strongest hashes of an `integrity` string, any of which the content may have. */
export interface Integrity {
  readonly algorithm: string
  /** Base64 without its padding, in the alphabet of RFC 4648 §4. */
  readonly digests: readonly string[]
}

/** The weakest first, Subresource Integrity §3.2. */
const algorithms: readonly string[] = ['sha256', 'sha384', 'sha512']

/** The hashes that count, undefined where there is nothing to check; Subresource Integrity §3.3.3 and §3.3.4. */
export function parseIntegrity(text: string): Integrity | undefined {
  let strongest = -1
  let digests: string[] = []
  for (const item of text.split(/[\t\n\f\r ]+/)) {
    const [expression] = item.split('?', 1) as [string]
    const [, name = '', digest = ''] = /^([^-]*)-?(.*)$/.exec(expression) ?? []
    const strength = algorithms.indexOf(name.toLowerCase())
    if (strength < strongest) continue
    if (strength > strongest) digests = []
    strongest = strength
    digests.push(canonical(digest))
  }
  const algorithm = algorithms[strongest]
  return algorithm === undefined ? undefined : { algorithm, digests }
}

/** Whether the bytes have one of these hashes, Subresource Integrity §3.3.5. */
export function matchesIntegrity(bytes: Uint8Array, { algorithm, digests }: Integrity): boolean {
  return digests.includes(canonical(createHash(algorithm).update(bytes).digest('base64')))
}

/** Both alphabets of RFC 4648 are taken, with and without padding, as the platform's fetch does. */
function canonical(base64: string): string {
  return base64
    .replace(/={1,2}$/, '')
    .replaceAll('-', '+')
    .replaceAll('_', '/')
}
