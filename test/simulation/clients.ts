import type { Open } from './client.ts'
import { peer } from './peer.ts'
import { peers } from './peers.ts'
import { steadfetch } from './steadfetch.ts'

/** Every client by its name; another set of options of steadfetch is one more line. */
export const clients: Readonly<Record<string, Open>> = {
  steadfetch: steadfetch(),
  'steadfetch+throttle': steadfetch({ throttle: true }),
  'steadfetch+breaker': steadfetch({ breaker: true }),
  'steadfetch+concurrency': steadfetch({ concurrency: true }),
  'steadfetch+rate': steadfetch({ rateLimit: true }),
  'steadfetch+hedge': steadfetch({ hedge: true }),
  'steadfetch+all': steadfetch({ breaker: true, throttle: true, concurrency: true, rateLimit: true, hedge: true }),
  ...Object.fromEntries(Object.entries(peers).map(([name, policy]) => [name, peer(policy)])),
}
