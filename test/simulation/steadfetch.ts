import { type ClientOptions, createFetch, SteadfetchError, type Transport } from '../../src/index.ts'
import { fetchFailed } from '../support/scripted-transport.ts'
import { attemptTimeoutMs, type Open, type Surroundings } from './client.ts'
import type { Quota } from './limiter.ts'
import type { Answer } from './site.ts'

const hosts = ['a.test', 'b.test', 'c.test'] as const

const endpoints = hosts.map((host) => `http://${host}`)

/** The real client, with options of its own over the defaults. */
export function steadfetch(options: ClientOptions = {}): Open {
  return (surroundings) => {
    const { clock, random, servers } = surroundings
    const fetch = createFetch({
      transport: transportOf(surroundings),
      clock,
      random,
      attemptTimeoutMs,
      ...options,
      ...(servers > 1 ? { endpoints } : {}),
    })
    return async (call) => {
      try {
        // The number of the call in its target tells the transport which call it sends for.
        await fetch(`http://${hosts[0]}/${call}`)
        return true
      } catch (error) {
        if (error instanceof SteadfetchError) return false
        throw error
      }
    }
  }
}

function transportOf({ send }: Surroundings): Transport {
  return (target) =>
    new Promise((resolve, reject) => {
      const [, , host, call] = target.split('/')
      send(Number(call), hosts.indexOf(host as (typeof hosts)[number]), (answer) => {
        if (answer === 'refused') reject(fetchFailed('ECONNREFUSED'))
        else resolve(responseOf(answer))
      })
    })
}

function limitedResponse(status: number, retryAfterS: number | undefined, { rateLimit, policy }: Quota): Response {
  const headers = { ratelimit: rateLimit, 'ratelimit-policy': policy }
  return new Response(null, {
    status,
    headers: retryAfterS === undefined ? headers : { ...headers, 'retry-after': String(retryAfterS) },
  })
}

const responses = new Map<string, Response>()

/** Responses without a body hold no state, so that one of each kind serves all calls. */
function responseOf({ status, retryAfterS, quota }: Exclude<Answer, string>): Response {
  if (quota !== undefined) return limitedResponse(status, retryAfterS, quota)
  const key = `${status} ${retryAfterS}`
  let response = responses.get(key)
  if (response === undefined) {
    response = new Response(null, { status, headers: retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) } })
    responses.set(key, response)
  }
  return response
}
