import type { Open } from './clients/client.ts'

interface Entry {
  /** Its name in the tables. */
  readonly title: string
  /** Its adapter, under clients/. */
  readonly module: string
  /** What it is made of, beside Node.js. */
  readonly packages: readonly string[]
  /** Whether it stands directly on an undici dispatcher, which a stub can replace. */
  readonly stubbed?: true
}

export type ClientName = keyof typeof clients

/** The client all others are compared with. */
export const baseline = 'undici-request' satisfies ClientName

/** In the order of the tables. */
export const clients = {
  steadfetch: { title: '**steadfetch**, default policies', module: 'steadfetch', packages: [], stubbed: true },
  'steadfetch-everything': {
    title: '**steadfetch**, everything on',
    module: 'steadfetch-everything',
    packages: [],
    stubbed: true,
  },
  'steadfetch-protected': {
    title: '**steadfetch**, budget, breaker and limits on',
    module: 'steadfetch-protected',
    packages: [],
    stubbed: true,
  },
  'steadfetch-standard': { title: '**steadfetch**, `fetchStandard`', module: 'steadfetch-standard', packages: [], stubbed: true },
  'undici-dispatch': { title: 'undici `dispatch`', module: 'undici-dispatch', packages: ['undici'], stubbed: true },
  'undici-request': { title: 'undici `request`', module: 'undici-request', packages: ['undici'], stubbed: true },
  'retry-agent': { title: 'undici `request`, RetryAgent', module: 'retry-agent', packages: ['undici'] },
  'undici-fetch': { title: 'undici `fetch`', module: 'undici-fetch', packages: ['undici'], stubbed: true },
  'global-fetch': { title: 'global fetch', module: 'global-fetch', packages: [] },
  'p-retry': { title: 'global fetch, p-retry', module: 'p-retry', packages: ['p-retry'] },
  cockatiel: { title: 'global fetch, cockatiel', module: 'peers/cockatiel', packages: ['cockatiel'] },
  ofetch: { title: 'ofetch', module: 'peers/ofetch', packages: ['ofetch'] },
  wretch: { title: 'wretch', module: 'peers/wretch', packages: ['wretch'] },
  ky: { title: 'ky', module: 'peers/ky', packages: ['ky'] },
  axios: { title: 'axios, axios-retry', module: 'peers/axios', packages: ['axios', 'axios-retry'] },
  got: { title: 'got', module: 'peers/got', packages: ['got'] },
} as const satisfies Readonly<Record<string, Entry>>

/** Loads one client and nothing of the others. */
export async function load(name: ClientName): Promise<Open> {
  const adapter: { readonly open: Open } = await import(`./clients/${clients[name].module}.ts`)
  return adapter.open
}
