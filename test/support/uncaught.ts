import { onTestFinished } from 'vitest'

/** The next exception that nobody catches, which fails no test then. */
export function uncaught(): Promise<unknown> {
  return new Promise((resolve) => {
    const before = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.once('uncaughtException', resolve)
    onTestFinished(() => {
      process.removeAllListeners('uncaughtException')
      for (const listener of before) process.on('uncaughtException', listener)
    })
  })
}
