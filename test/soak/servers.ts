// The servers of the soak as its process sees them.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Told } from './server.ts'

/** The servers under way. */
export interface Servers {
  readonly origins: readonly string[]
  /** How many connections are open, a moment from now, and how many have been. */
  connections(): Promise<{ readonly open: number; readonly opened: number }>
  stop(): void
}

/** Starts them in a process of their own. */
export async function startServers(): Promise<Servers> {
  const child = fork(fileURLToPath(new URL('server.ts', import.meta.url)), { execArgv: [] })
  const told = async (): Promise<Told> => ((await once(child, 'message')) as [Told])[0]
  const { origins = [] } = await told()
  const ask = async (): Promise<Told> => {
    const answer = told()
    child.send('connections?')
    return answer
  }
  return {
    origins,
    async connections() {
      let { open = 0, opened = 0 } = await ask()
      for (let turn = 0; turn < 20 && open > 0; turn += 1) {
        await new Promise((resolve) => setTimeout(resolve, 25))
        ;({ open = 0, opened = 0 } = await ask())
      }
      return { open, opened }
    },
    stop: () => child.disconnect(),
  }
}
