import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createFetch, refresh, type SteadFetch, type SteadInit, type TransportInit } from '../../src/index.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'

const names = ['alice', 'bob'] as const
type Name = (typeof names)[number]
const paths = ['/1', '/2'] as const
type Path = (typeof paths)[number]

type Step =
  | { readonly kind: 'get'; readonly user: Name; readonly path: Path; readonly manner: 'plain' | 'own refusal' | 'validated' }
  | { readonly kind: 'put'; readonly user: Name; readonly path: Path; readonly moves: boolean }
  /** The origin takes up the request at this place among those that wait, or its answer arrives; maybe with others at once. */
  | { readonly kind: 'take' | 'answer'; readonly at: number; readonly alone: boolean }
  | { readonly kind: 'leave'; readonly at: number }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'expire'; readonly user: Name }

const user = fc.constantFrom(...names)
const path = fc.constantFrom(...paths)
const at = fc.nat(7)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('get'), user, path, manner: fc.constantFrom('plain', 'own refusal', 'validated') }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('put'), user, path, moves: fc.boolean() }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constantFrom('take', 'answer'), at, alone: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave'), at }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('advance'), ms: fc.constantFrom(10, 900, 3_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire'), user }) },
) as fc.Arbitrary<Step>

/** An origin that takes requests up and answers them when it is told to. */
class Origin {
  readonly versions: Record<Path, number> = { '/1': 0, '/2': 0 }
  readonly tokens: Record<Name, number> = { alice: 0, bob: 0 }
  readonly waiting: (() => void)[] = []
  readonly taken: (() => void)[] = []

  readonly send = (target: string, init: TransportInit): Promise<Response> =>
    new Promise((resolve, reject) => {
      init.signal.addEventListener('abort', () => reject(init.signal.reason))
      this.waiting.push(() => {
        const response = this.#answer(new URL(target).pathname as Path, init)
        this.taken.push(() => resolve(response))
      })
    })

  #answer(asked: Path, { method, headers }: TransportInit): Response {
    const [name, token] = (headers.authorization ?? '').split(' ') as [Name, string]
    if (Number(token) !== this.tokens[name]) return new Response(null, { status: 401 })
    if (method === 'PUT') {
      this.versions[asked] += 1
      const moved = headers['x-moves'] === 'yes'
      return new Response(null, moved ? { status: 303, headers: { location: asked } } : { status: 204 })
    }
    const content = `${name} ${this.versions[asked]}`
    const fields = { etag: `"${content}"`, 'cache-control': 'max-age=2' }
    if (headers['if-none-match'] === fields.etag) return new Response(null, { status: 304, headers: fields })
    return new Response(content, { headers: fields })
  }
}

/** One world: two users of clients that have a cache and coalescing in common, and what each of them must see. */
class World {
  readonly clock = new FakeClock()
  readonly origin = new Origin()
  readonly #calls: { readonly done: Promise<void>; readonly leave: () => void }[] = []
  readonly #users: Readonly<Record<Name, SteadFetch>>
  /** The versions that somebody has been told to have brought about. */
  readonly #known: Record<Path, number> = { '/1': 0, '/2': 0 }

  constructor() {
    const { clock, origin } = this
    const common = {
      clock,
      transport: origin.send,
      random: () => 0.5,
      cache: true,
      attemptTimeoutMs: false,
      timeoutMs: false,
    } as const
    const fetch = createFetch(common)
    const of = (name: Name, named: boolean): SteadFetch => {
      const policy = refresh(() => ({ authorization: `${name} ${origin.tokens[name]}` }))
      return fetch.extend({ on: { 401: named ? policy : () => policy } })
    }
    this.#users = { alice: of('alice', true), bob: of('bob', false) }
  }

  async run(steps: readonly Step[]): Promise<void> {
    // Both have credentials from now on, and what is stored is stale.
    for (const name of names) this.#get(name, '/1', 'plain')
    await this.#finish()
    await this.clock.advance(5_000)
    for (const one of steps) await this.#step(one)
    await this.#finish()
    expect(this.clock.armed).toBe(0)
  }

  /** Everything is answered, and every call ends. */
  async #finish(): Promise<void> {
    const { waiting, taken } = this.origin
    await settle()
    while (waiting.length > 0 || taken.length > 0) {
      for (const run of [...waiting.splice(0), ...taken.splice(0)]) run()
      await settle()
    }
    const all = Promise.all(this.#calls.map(({ done }) => done))
    expect(await Promise.race([all.then(() => 'ended'), settle()])).toBe('ended')
  }

  async #step(one: Step): Promise<void> {
    const { waiting, taken, tokens } = this.origin
    if (one.kind === 'get') this.#get(one.user, one.path, one.manner)
    else if (one.kind === 'put') this.#put(one.user, one.path, one.moves)
    else if (one.kind === 'leave') this.#calls[one.at]?.leave()
    else if (one.kind === 'advance') await this.clock.advance(one.ms)
    else if (one.kind === 'expire') tokens[one.user] += 1
    else {
      const from = one.kind === 'take' ? waiting : taken
      const [run] = from.splice(one.at % Math.max(1, from.length), 1)
      run?.()
    }
    if (!('alone' in one) || one.alone) await settle()
  }

  #get(name: Name, asked: Path, manner: string): void {
    const least = this.#known[asked]
    const init: SteadInit =
      manner === 'own refusal' ? { on: { 401: 'accept' } } : manner === 'validated' ? { cache: 'no-cache' } : {}
    this.#call(name, asked, init, (response, text) => this.#see(name, asked, least, response, text))
  }

  #put(name: Name, asked: Path, moves: boolean): void {
    const least = this.#known[asked] + 1
    this.#call(name, asked, { method: 'PUT', headers: { 'x-moves': moves ? 'yes' : 'no' } }, (response, text) => {
      if (moves) this.#see(name, asked, least, response, text)
      this.#known[asked] = Math.max(this.#known[asked], least)
    })
  }

  /** What is for another user, or from before a change that had been told of, must not be seen. */
  #see(name: Name, asked: Path, least: number, { status }: Response, text: string): void {
    if (status === 401) return
    const [whose, version] = text.split(' ')
    expect({ asked, whose, atLeast: Math.min(least, Number(version)) }).toEqual({ asked, whose: name, atLeast: least })
  }

  #call(name: Name, asked: Path, init: SteadInit, see: (response: Response, text: string) => void): void {
    const controller = new AbortController()
    const done = async (): Promise<void> => {
      let response: Response
      let text: string
      try {
        response = await this.#users[name](`https://a.test${asked}`, { signal: controller.signal, ...init })
        text = await response.text()
      } catch (error) {
        // It left, or its credentials were refused twice.
        expect([controller.signal.reason, (error as { status?: number }).status === 401 && error]).toContain(error)
        return
      }
      see(response, text)
    }
    const promise = done()
    promise.catch(() => {})
    this.#calls.push({ done: promise, leave: () => controller.abort(new Error('enough')) })
  }
}

test('each user sees what is theirs, and nothing from before a change that was made known, whatever comes when', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) => new World().run(steps)),
    { numRuns: Number(process.env.RUNS ?? 300) },
  )
})
