import { existsSync } from 'node:fs'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { createRequire } from 'node:module'
import { Readable } from 'node:stream'
import { Agent, fetch as undiciFetch } from 'undici'
import type { Ask, OpenClient, Result } from '../fault.ts'

/** The peers are installed for the benchmark alone. */
const bench = new URL('../../../bench/', import.meta.url)
const load = async (name: string): Promise<Record<string, unknown>> => {
  const require = createRequire(new URL('package.json', bench))
  return import(`file://${require.resolve(name)}`)
}

type FetchLike = (target: string, init: object) => Promise<{ status: number; text(): Promise<string>; json(): Promise<unknown> }>

async function settled(run: () => Promise<{ status: number; content: unknown }>): Promise<Result> {
  try {
    return { kind: 'response', ...(await run()) }
  } catch (error) {
    const { response } = Object(error) as { response?: { status?: number; statusCode?: number } }
    return { kind: 'error', error, status: response?.status ?? response?.statusCode }
  }
}

const streamOf = ({ stream }: Ask): Readable | undefined => (stream === undefined ? undefined : Readable.from(stream()))
const signalOf = ({ signal, limitMs }: Ask): AbortSignal | undefined =>
  limitMs === undefined ? signal : AbortSignal.any([AbortSignal.timeout(limitMs), ...(signal === undefined ? [] : [signal])])

const fetchAsk = ({ method, headers, body, ...ask }: Ask): object => {
  const source = streamOf(ask)
  return {
    method,
    headers,
    body: source === undefined ? body : Readable.toWeb(source),
    ...(source === undefined ? {} : { duplex: 'half' }),
  }
}

const openUndiciFetch: OpenClient = () => {
  const agents: Agent[] = []
  return {
    send: (target, ask) =>
      settled(async () => {
        if (agents.length === 0) agents.push(new Agent(ask.ca === undefined ? {} : { connect: { ca: ask.ca } }))
        const init = { ...fetchAsk(ask), signal: signalOf(ask), dispatcher: agents[0] }
        const response = await (undiciFetch as unknown as FetchLike)(target, init)
        return { status: response.status, content: await response[ask.read ?? 'text']() }
      }),
    close: async () => void (await Promise.all(agents.map((agent) => agent.destroy()))),
  }
}

async function openKy(): Promise<OpenClient> {
  const { default: ky } = (await load('ky')) as { default: FetchLike }
  return () => ({
    send: (target, ask) =>
      settled(async () => {
        const { limitMs, signal } = ask
        const limit = limitMs === undefined ? {} : { timeout: limitMs, totalTimeout: limitMs }
        const response = await ky(target, { ...fetchAsk(ask), ...limit, signal })
        return { status: response.status, content: await response[ask.read ?? 'text']() }
      }),
    close: undefined,
  })
}

function agents(): { http: HttpAgent; https: HttpsAgent; close: () => void } {
  const [http, https] = [new HttpAgent({ keepAlive: true }), new HttpsAgent({ keepAlive: true })]
  return {
    http,
    https,
    close() {
      http.destroy()
      https.destroy()
    },
  }
}

async function openGot(): Promise<OpenClient> {
  const { default: got } = (await load('got')) as {
    default: (target: string, options: object) => Promise<{ statusCode: number; body: string }>
  }
  return () => {
    const { http, https, close } = agents()
    return {
      send: (target, ask) =>
        settled(async () => {
          const { method, headers, body, limitMs, signal, ca } = ask
          const limit = limitMs === undefined ? {} : { timeout: { request: limitMs } }
          const response = await got(target, {
            ...{ method, headers, signal, agent: { http, https }, ...limit },
            body: streamOf(ask) ?? body,
            ...(ca === undefined ? {} : { https: { certificateAuthority: ca } }),
          })
          return { status: response.statusCode, content: ask.read === 'json' ? JSON.parse(response.body) : response.body }
        }),
      close,
    }
  }
}

type Retry = (client: unknown, options: object) => void

/** What is required is a module of CommonJS, whose default is one level deeper. */
function retryOf(module: unknown): Retry {
  return typeof module === 'function' ? (module as Retry) : (module as { default: Retry }).default
}

async function openAxios(retrying: boolean): Promise<OpenClient> {
  const { default: axios } = (await load('axios')) as {
    default: { create(options: object): (options: object) => Promise<{ status: number; data: unknown }> }
  }
  const retry = retrying ? retryOf((await load('axios-retry')).default) : undefined
  return () => {
    const { http, https, close } = agents()
    const client = axios.create({
      httpAgent: http,
      httpsAgent: https,
      responseType: 'text',
      transformResponse: (data: unknown) => data,
    })
    retry?.(client, { retries: 2 })
    return {
      send: (target, ask) =>
        settled(async () => {
          const { method, headers, body, limitMs, signal, ca } = ask
          const httpsAgent = ca === undefined ? {} : { httpsAgent: new HttpsAgent({ ca }) }
          const response = await client({
            url: target,
            method,
            headers,
            data: streamOf(ask) ?? body,
            timeout: limitMs ?? 0,
            signal,
            ...httpsAgent,
          })
          return { status: response.status, content: ask.read === 'json' ? JSON.parse(String(response.data)) : response.data }
        }),
      close,
    }
  }
}

/** The other clients, each with its own defaults. */
export const peers: Readonly<Record<string, () => Promise<OpenClient>>> = {
  'undici.fetch': async () => openUndiciFetch,
  ky: openKy,
  got: openGot,
  axios: () => openAxios(false),
  'axios-retry': () => openAxios(true),
}

/** Whether those are installed that come from the registry. */
export const peersInstalled: boolean = existsSync(new URL('node_modules/ky', bench))
