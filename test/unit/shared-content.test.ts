import { describe, expect, test } from 'vitest'
import { WireBody } from '../../src/http/body.ts'
import type { Reader } from '../../src/http/share.ts'
import { SharedContent } from '../../src/http/shared-content.ts'
import type { Body, Bytes, Watcher } from '../../src/types/body.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { bytesOf } from '../support/identical.ts'

/** A content of hundred-byte parts that come as long as they are wanted, and its readers. */
class World {
  readonly clock = new FakeClock()
  readonly whole = bytesOf(2_000)
  readonly content: SharedContent
  readonly events: string[] = []
  sentBytes = 0
  /** The most that was kept at any time. */
  mostKept = 0
  over = false
  readonly #body: WireBody
  #flows = true

  constructor(maxBytes: number) {
    this.#body = new WireBody({
      pause: () => {
        this.#flows = false
      },
      resume: () => {
        this.#flows = true
      },
      abort: (reason) => this.events.push(`aborted: ${reason}`),
    })
    this.content = new SharedContent(this.#body, maxBytes, this.clock, () => {
      this.over = true
    })
  }

  /** Sends as long as there is demand. */
  flow(): void {
    while (this.#flows && !this.#body.done) {
      this.#body.write(this.whole.subarray(this.sentBytes, this.sentBytes + 100))
      this.sentBytes += 100
      this.mostKept = Math.max(this.mostKept, this.content.keptBytes)
      if (this.sentBytes === this.whole.length) this.#body.end()
    }
  }

  fail(error: unknown): void {
    this.#body.fail(error)
  }

  reader(name: string, given: Partial<Reader> = {}): Body {
    return this.content.add({
      maxBytes: Infinity,
      patienceMs: 1_000,
      told: (error) => `${name} is told ${error}`,
      tooMuch: () => `too much for ${name}`,
      tooSlow: () => `${name} is too slow`,
      again: () => Promise.reject(new Error('not again')),
      left: () => this.events.push(`${name} left`),
      ...given,
    })
  }
}

/** Reads as many parts as the test lets it; the first one comes without being asked for. */
class Hand {
  readonly bytes: number[] = []
  readonly #body: Body
  /** Parts it still takes. */
  #wanted: number
  end: unknown

  constructor(body: Body, wanted: number) {
    this.#body = body
    this.#wanted = wanted
    body.attach({
      write: (part: Bytes) => {
        this.bytes.push(...part)
        this.#wanted -= 1
        return this.#wanted > 0
      },
      end: () => {
        this.end = 'whole'
      },
      fail: (error) => {
        this.end = error
      },
    })
  }

  take(parts: number): void {
    this.#wanted = parts
    this.#body.resume()
  }
}

describe('a shared content', () => {
  test('is read at the pace of the fastest, up to what is kept for the slowest, and on as that one reads on', () => {
    const world = new World(300)
    const [slow, fast] = [new Hand(world.reader('slow'), 1), new Hand(world.reader('fast'), Infinity)]
    world.content.start()
    world.flow()
    expect([slow.bytes.length, fast.bytes.length]).toEqual([100, 400])
    slow.take(1)
    world.flow()
    expect([slow.bytes.length, fast.bytes.length]).toEqual([200, 500])
    for (let turn = 0; turn < 40; turn += 1) {
      slow.take(1)
      world.flow()
    }
    expect([slow.end, fast.end]).toEqual(['whole', 'whole'])
    expect(fast.bytes).toEqual([...world.whole])
    expect(slow.bytes).toEqual([...world.whole])
    expect(world.mostKept).toBe(300)
    expect(world.events).toEqual(['fast left', 'slow left'])
    expect([world.over, world.clock.armed]).toEqual([true, 0])
  })

  test('is not read on while nobody wants it, and nobody is blamed for that', async () => {
    const world = new World(300)
    const [one, other] = [new Hand(world.reader('one'), 1), new Hand(world.reader('other'), 2)]
    world.content.start()
    world.flow()
    await world.clock.advance(10_000)
    expect([one.bytes.length, other.bytes.length, world.sentBytes]).toEqual([100, 200, 200])
    expect([one.end, other.end, world.clock.armed]).toEqual([undefined, undefined, 0])
  })

  test('goes on without a reader who takes nothing while others wait for its patience', async () => {
    const world = new World(300)
    const [slow, fast] = [new Hand(world.reader('slow', { patienceMs: 500 }), 1), new Hand(world.reader('fast'), Infinity)]
    world.content.start()
    world.flow()
    await world.clock.advance(400)
    slow.take(1)
    world.flow()
    await world.clock.advance(499)
    expect(slow.end).toBeUndefined()
    await world.clock.advance(1)
    expect(slow.end).toBe('slow is too slow')
    world.flow()
    expect(fast.end).toBe('whole')
    expect(fast.bytes).toEqual([...world.whole])
    expect(world.clock.armed).toBe(0)
  })

  test('has patience with each reader for its own time', async () => {
    const world = new World(300)
    const hands = [200, 600].map((patienceMs) => new Hand(world.reader(String(patienceMs), { patienceMs }), 1))
    const fast = new Hand(world.reader('fast'), Infinity)
    world.content.start()
    world.flow()
    await world.clock.advance(200)
    expect(hands.map(({ end }) => end)).toEqual(['200 is too slow', undefined])
    await world.clock.advance(399)
    expect(hands[1]?.end).toBeUndefined()
    await world.clock.advance(1)
    expect(hands[1]?.end).toBe('600 is too slow')
    world.flow()
    expect([fast.end, world.clock.armed]).toEqual(['whole', 0])
  })

  test('waits for who has not begun to read for a moment only, and gives it the content anew should it be read', async () => {
    const world = new World(300)
    const own = new WireBody({ pause() {}, resume() {}, abort() {} })
    let asked = 0
    const unread = world.reader('unread', {
      again: async () => {
        asked += 1
        return own
      },
    })
    const fast = new Hand(world.reader('fast'), Infinity)
    world.content.start()
    world.flow()
    expect(fast.bytes).toHaveLength(300)
    await world.clock.advance(50)
    world.flow()
    expect([fast.end, world.content.keptBytes, asked]).toEqual(['whole', 0, 0])
    const late = new Hand(unread, Infinity)
    own.write(world.whole)
    await world.clock.advance(0)
    own.end()
    expect([late.end, asked]).toEqual(['whole', 1])
    expect(late.bytes).toEqual([...world.whole])
    expect(world.clock.armed).toBe(0)
  })

  test('that one fails where the content is not to be had anew', async () => {
    const world = new World(300)
    const unread = world.reader('unread')
    const fast = new Hand(world.reader('fast'), Infinity)
    world.content.start()
    world.flow()
    await world.clock.advance(50)
    world.flow()
    const late = new Hand(unread, Infinity)
    await world.clock.advance(0)
    expect([fast.end, late.end]).toEqual(['whole', new Error('not again')])
  })

  test('that comes whole is there for who reads it later, without holding anybody up', async () => {
    const world = new World(5_000)
    const unread = world.reader('unread')
    const fast = new Hand(world.reader('fast'), Infinity)
    world.content.start()
    world.flow()
    expect([fast.end, world.over, unread.done]).toEqual(['whole', true, true])
    await world.clock.advance(10_000)
    const late = new Hand(unread, Infinity)
    expect(late.bytes).toEqual([...world.whole])
    expect([late.end, world.clock.armed]).toEqual(['whole', 0])
  })

  test('takes one who comes later along, until more has come than is kept', () => {
    const world = new World(400)
    const first = new Hand(world.reader('first'), 4)
    world.content.start()
    world.flow()
    expect([world.content.admits, world.content.keptBytes]).toEqual([true, 400])
    const late = new Hand(world.reader('late'), Infinity)
    expect(late.bytes).toHaveLength(400)
    world.flow()
    expect([late.bytes.length, world.content.admits, world.content.keptBytes]).toEqual([800, false, 400])
    first.take(Infinity)
    world.flow()
    expect([first.end, late.end, world.content.keptBytes]).toEqual(['whole', 'whole', 0])
    expect(late.bytes).toEqual([...world.whole])
  })

  test('goes on when the slowest leaves, and is aborted when the last one does', () => {
    const world = new World(300)
    const slow = world.reader('slow')
    const hands = [new Hand(slow, 1), new Hand(world.reader('fast'), 6)]
    world.content.start()
    world.flow()
    expect(hands.map(({ bytes }) => bytes.length)).toEqual([100, 400])
    slow.cancel('bye')
    world.flow()
    expect(hands.map(({ bytes }) => bytes.length)).toEqual([100, 600])
    expect(world.events).toEqual(['slow left'])
  })

  test('is aborted when the last one leaves', () => {
    const world = new World(300)
    const bodies = [world.reader('a'), world.reader('b')]
    world.content.start()
    bodies[0]?.cancel('bye a')
    expect(world.over).toBe(false)
    bodies[1]?.cancel('bye b')
    expect(world.events).toEqual(['a left', 'aborted: bye b', 'b left'])
    expect([world.over, world.content.admits, world.clock.armed]).toEqual([true, false, 0])
  })

  test('that fails is told so to each, after what had come for it', () => {
    const world = new World(1_000)
    const [slow, fast] = [new Hand(world.reader('slow'), 1), new Hand(world.reader('fast'), 3)]
    world.content.start()
    world.flow()
    world.fail('broken')
    expect([fast.end, slow.end, slow.bytes.length]).toEqual(['fast is told broken', undefined, 100])
    slow.take(Infinity)
    expect([slow.end, slow.bytes.length]).toEqual(['slow is told broken', 300])
  })

  test('ends for one for whom it is too much, and goes on for the others', () => {
    const world = new World(300)
    const [small, large] = [
      new Hand(world.reader('small', { maxBytes: 500 }), Infinity),
      new Hand(world.reader('large'), Infinity),
    ]
    world.content.start()
    world.flow()
    expect([small.end, small.bytes.length, large.end]).toEqual(['too much for small', 500, 'whole'])
  })

  test('is read in step where nothing is kept', () => {
    const world = new World(0)
    const hands = [new Hand(world.reader('a'), 1), new Hand(world.reader('b'), Infinity)]
    world.content.start()
    for (let turn = 0; turn < 40; turn += 1) {
      world.flow()
      hands[0]?.take(1)
    }
    expect(hands.map(({ end }) => end)).toEqual(['whole', 'whole'])
    expect(world.mostKept).toBe(100)
  })

  test('tells who watches that nothing is to be expected while others are waited for', () => {
    const world = new World(300)
    const log: string[] = []
    const watcher: Watcher = {
      shown: (error) => error,
      flowing: () => log.push('flowing'),
      streaming: () => {},
      resting: () => log.push('resting'),
      ended: () => log.push('ended'),
    }
    const fast = world.reader('fast')
    const slow = new Hand(world.reader('slow'), 1)
    fast.watch(watcher)
    new Hand(fast, Infinity)
    world.content.start()
    world.flow()
    expect(log.at(-1)).toBe('resting')
    slow.take(Infinity)
    expect(log.at(-1)).toBe('flowing')
    world.flow()
    expect(log.at(-1)).toBe('ended')
  })
})
