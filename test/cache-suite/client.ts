import { type ClientOptions, createFetch, type DispatcherLike, fetchStandard } from 'steadfetch'

/** How a client is plugged into the suite: as plain fetch, with responses instead of errors, or as it comes. */
export type Plugged = 'standard' | 'return' | 'plain'

const options: Readonly<Record<Plugged, ClientOptions>> = {
  standard: fetchStandard,
  return: { errors: 'return' },
  plain: {},
}

/** What the suite calls as fetch. */
export function clientOf(plugged: Plugged, shared: boolean): typeof globalThis.fetch {
  const api = createFetch({ ...options[plugged], cache: { shared } })
  return (input, init: RequestInit & { dispatcher?: DispatcherLike } = {}) => {
    const { dispatcher, ...rest } = init
    // As no browser it tells every cache of fetch to keep out of the way: here the cache of fetch is what is tested.
    const asked = shared && rest.cache === 'no-store' ? { ...rest, cache: 'default' as const } : rest
    return (dispatcher === undefined ? api : api.extend({ dispatcher }))(input as string, asked)
  }
}
