// Chance that is the same for a seed, on both sides of the wire.

/** Draws the numbers of one seed (mulberry32). */
export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** A whole number from 0 up to but not including `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }

  /** True once in so many times. */
  once(inSoMany: number): boolean {
    return this.below(inSoMany) === 0
  }

  /** One of a list. */
  of<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item
  }
}

/** Draws from a table of weights. */
export class Lottery<Item> {
  readonly #drawn: (readonly [string, Item])[] = []

  constructor(table: Readonly<Record<string, readonly [weight: number, item: Item]>>) {
    for (const [name, [weight, item]] of Object.entries(table)) {
      for (let count = 0; count < weight; count += 1) this.#drawn.push([name, item])
    }
  }

  draw(chance: Chance): readonly [name: string, item: Item] {
    return chance.of(this.#drawn)
  }
}

/** Counts by name. */
export function count(tally: Record<string, number>, name: string): void {
  tally[name] = (tally[name] ?? 0) + 1
}
