import { nameOf, type Reply } from './parity.ts'

/** Sends nothing. */
export const nothing: Reply = () => {}

/** Sends the beginning, and nothing more. */
export const beginning: Reply = (response) => {
  response.write('first')
}

/** Sends two chunks, one after the other. */
export const chunked: Reply = (response) => {
  response.setHeader('content-type', 'text/plain')
  response.write('first ')
  setTimeout(() => response.end('second'), 20)
}

/** What a promise is rejected with, and whether that is the reason itself. */
export async function rejection(promise: Promise<unknown>, reason?: unknown): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return { name: nameOf(error), isReason: error === reason }
  }
  return 'not rejected'
}

/** Resolves once the condition holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2))
}
