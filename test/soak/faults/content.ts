// What a key stands for: both sides of the wire know which content belongs to it, so that no byte can go astray unnoticed.

const sizes = [0, 20, 200, 200, 200, 2_000, 2_000, 20_000, 90_000, 300_000]

/** The only right content of a response for this key. */
export function contentOf(key: string): string {
  let hash = 7
  for (const letter of key) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) >>> 0
  const size = sizes[hash % sizes.length] as number
  return JSON.stringify({ key, filler: `${key} `.repeat(Math.ceil(size / (key.length + 1))).slice(0, size) })
}

/** What a request for this key uploads. */
export function uploadOf(key: string): string {
  return contentOf(`upload-${key}`)
}

/** What no response may ever be answered with: it follows another response on the wire. */
export const poison = 'poisoned'
