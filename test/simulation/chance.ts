/** A stream of chance: each call gives a number from 0 up to but not including 1. */
export type Chance = () => number

/** The stream of a seed and a purpose (xoshiro128**); other purposes have streams that know nothing of it. */
export function chanceOf(seed: number, ...purpose: readonly (string | number)[]): Chance {
  const next = scrambled(`${seed}/${purpose.join('/')}`)
  let [a, b, c, d] = [next(), next(), next(), next()]
  return () => {
    const result = Math.imul(rotated(Math.imul(b, 5), 7), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotated(d, 11)
    return result / 2 ** 32
  }
}

/** An exponentially distributed number. */
export function exponential(mean: number, chance: Chance): number {
  return -mean * Math.log(1 - chance())
}

/** A lognormally distributed number. */
export function lognormal(median: number, sigma: number, chance: Chance): number {
  const normal = Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance())
  return median * Math.exp(sigma * normal)
}

/** Words of 32 bits from a text: FNV-1a, then a counter through the finaliser of MurmurHash3, so that near texts differ. */
function scrambled(text: string): () => number {
  let state = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) state = Math.imul(state ^ text.charCodeAt(index), 0x01000193)
  return () => {
    state = (state + 0x9e3779b9) | 0
    let word = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35)
    return word ^ (word >>> 16)
  }
}

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}
