// The servers of the fault soak as its process sees them.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Told } from './server.ts'

/** The servers under way. */
export interface Servers {
  readonly origins: Readonly<Record<string, string>>
  /** What came to pass, once no connection is open any more or a second has passed. */
  account(): Promise<Required<Omit<Told, 'origins'>>>
  stop(): void
}

/** Starts them in a process of their own. */
export async function startServers(seed: number): Promise<Servers> {
  const child = fork(fileURLToPath(new URL('server.ts', import.meta.url)), [String(seed)], { execArgv: [] })
  const ended = once(child, 'exit').then(() => {
    throw new Error('the servers are gone')
  })
  ended.catch(() => {})
  const told = async (): Promise<Told> => ((await Promise.race([once(child, 'message'), ended])) as [Told])[0]
  const { origins = {} } = await told()
  const ask = async (): Promise<Required<Omit<Told, 'origins'>>> => {
    const answer = told()
    child.send('account?')
    return { open: [], opened: 0, replies: {}, violations: [], ...(await answer) }
  }
  return {
    origins,
    async account() {
      let account = await ask()
      for (let turn = 0; turn < 40 && account.open.length > 0; turn += 1) {
        await new Promise((resolve) => setTimeout(resolve, 25))
        account = await ask()
      }
      return account
    },
    stop: () => child.disconnect(),
  }
}
