import { type Channel, channel } from 'node:diagnostics_channel'
import { shownValue } from './errors/redact-text.ts'
import type { Exchange } from './exchange.ts'
import { attempted } from './listener.ts'
import type { Observer } from './observation.ts'
import type { EventMap, EventName, EventOf, Unsubscribe } from './types/events.ts'

type Listener = (event: never) => void
type Around = (run: () => void) => void

/** A channel for each event. Node keeps those of a process; whoever asks for one by its name gets the same. */
const channels: Readonly<Record<EventName, Channel>> = {
  'call.started': channel('steadfetch:call.started'),
  'call.ended': channel('steadfetch:call.ended'),
  'attempt.started': channel('steadfetch:attempt.started'),
  'attempt.succeeded': channel('steadfetch:attempt.succeeded'),
  'attempt.failed': channel('steadfetch:attempt.failed'),
  'retry.scheduled': channel('steadfetch:retry.scheduled'),
  'retry.refused': channel('steadfetch:retry.refused'),
  'pause.started': channel('steadfetch:pause.started'),
  'pause.ended': channel('steadfetch:pause.ended'),
  'breaker.opened': channel('steadfetch:breaker.opened'),
  'breaker.halfOpened': channel('steadfetch:breaker.halfOpened'),
  'breaker.closed': channel('steadfetch:breaker.closed'),
  'budget.emptied': channel('steadfetch:budget.emptied'),
  'origin.failing': channel('steadfetch:origin.failing'),
  'origin.recovered': channel('steadfetch:origin.recovered'),
  'redirect.followed': channel('steadfetch:redirect.followed'),
  'redirect.refused': channel('steadfetch:redirect.refused'),
  'hedge.sent': channel('steadfetch:hedge.sent'),
  'hedge.won': channel('steadfetch:hedge.won'),
  'cache.hit': channel('steadfetch:cache.hit'),
  'cache.stale': channel('steadfetch:cache.stale'),
  'cache.revalidated': channel('steadfetch:cache.revalidated'),
  'cache.stored': channel('steadfetch:cache.stored'),
}

/** The names of all events. */
export const eventNames: readonly EventName[] = Object.keys(channels) as EventName[]

/** Kept beside the exchanges: they have no number while nobody listens. */
const numbers = new WeakMap<object, number>()
let latestNumber = 0

/** Who listens to the calls of a client, and of those it was extended from. An event is made only where somebody does. */
export class Events {
  readonly #parent: Events | undefined
  readonly #listeners = new Map<EventName, Set<Listener>>()
  #observers: readonly Observer[] | undefined

  constructor(parent?: Events) {
    this.#parent = parent
  }

  /**
   * Calls `listener` at each event of this name; gives what takes it away again.
   *
   * @throws TypeError for an unknown name, and for what is no function.
   */
  on<Name extends EventName>(name: Name, listener: (event: EventOf<NoInfer<Name>>) => void): Unsubscribe {
    if (!eventNames.includes(name)) throw new TypeError(`on: unknown event ${shownValue(name)}`)
    if (typeof listener !== 'function') throw new TypeError(`on: the listener must be a function, got ${typeof listener}`)
    const heard = this.#listeners.get(name) ?? new Set()
    // The same function may be added twice, and be taken away once.
    const own: Listener = (event) => listener(event)
    this.#listeners.set(name, heard.add(own))
    return () => {
      heard.delete(own)
      if (heard.size === 0 && this.#listeners.get(name) === heard) this.#listeners.delete(name)
    }
  }

  /** Whether anybody listens: asked before an event is made. */
  hears(name: EventName): boolean {
    return channels[name].hasSubscribers || this.#has(name)
  }

  /** Tells whoever listens of something that happened to a call. */
  tell<Name extends EventName>(exchange: Exchange, name: Name, details: EventMap[Name]): void {
    const { request, elapsedMs } = exchange.facts()
    const event = { call: numberOf(exchange), request, atMs: elapsedMs, ...details } as EventOf<Name>
    if (channels[name].hasSubscribers) channels[name].publish(event)
    this.#tell(name, event)
  }

  /** Tells of what comes next, and runs it: in whatever context listeners wrap around it. */
  around<Name extends 'call.started' | 'attempt.started', Result>(
    exchange: Exchange,
    name: Name,
    details: Omit<EventMap[Name], 'wrap'>,
    run: () => Result,
  ): Result {
    const wrappers: Around[] = []
    const wrap = (around: Around): void => void wrappers.push(around)
    this.tell(exchange, name, { ...details, wrap } as EventMap[Name])
    let came: (() => Result) | undefined
    const once = (): void => {
      came ??= settled(run)
    }
    wrappers.reduceRight<() => void>((inner, around) => () => attempted(around, inner), once)()
    once()
    return (came as unknown as () => Result)()
  }

  /** Tells `observer` of all attempts that begin from now on; gives what ends that. */
  observe(observer: Observer): Unsubscribe {
    this.#observers = [...(this.#observers ?? []), observer]
    return () => {
      const left = this.#observers?.filter((other) => other !== observer) ?? []
      this.#observers = left.length === 0 ? undefined : left
    }
  }

  /** Who observes; undefined, and nothing made, where nobody does. */
  observers(): readonly Observer[] | undefined {
    let all: readonly Observer[] | undefined
    for (let events: Events | undefined = this; events !== undefined; events = events.#parent) {
      const own = events.#observers
      if (own !== undefined) all = all === undefined ? own : [...all, ...own]
    }
    return all
  }

  #has(name: EventName): boolean {
    for (let events: Events | undefined = this; events !== undefined; events = events.#parent) {
      if (events.#listeners.has(name)) return true
    }
    return false
  }

  #tell(name: EventName, event: object): void {
    for (let events: Events | undefined = this; events !== undefined; events = events.#parent) {
      for (const listener of events.#listeners.get(name) ?? []) attempted(listener, event as never)
    }
  }
}

/** Runs it; gives what gives its result, or throws what it threw. */
function settled<Result>(run: () => Result): () => Result {
  try {
    const result = run()
    return () => result
  } catch (error) {
    return () => {
      throw error
    }
  }
}

/** The events of each client. */
const ofClients = new WeakMap<object, Events>()

/** Keeps the events of a client, so that functions beside it can find them. */
export function keepEvents<Client extends object>(client: Client, events: Events): Client {
  ofClients.set(client, events)
  return client
}

/** The events of a client; undefined for what is none. */
export function eventsOf(client: unknown): Events | undefined {
  return ofClients.get(Object(client))
}

/** The number of the call that an exchange is a part of. */
export function numberOf({ root }: Exchange): number {
  const known = numbers.get(root)
  if (known !== undefined) return known
  latestNumber += 1
  numbers.set(root, latestNumber)
  return latestNumber
}
