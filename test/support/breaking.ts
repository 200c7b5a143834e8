import { arriving } from './arriving.ts'
import { fetchFailed, reply } from './scripted-transport.ts'

/** The content of the downloads that break off, and its tag. */
export const whole = '0123456789'
export const etag = '"v1"'

/** An answer with this beginning of the content, whose connection is lost then. */
export const cut =
  (text: string, fields: Record<string, string> = {}): (() => Response) =>
  () => {
    const content = arriving()
    content.part(text)
    setImmediate(() => content.fail(fetchFailed('ECONNRESET')))
    return new Response(content.body, { headers: { etag, 'content-length': '10', ...fields } })
  }

/** The rest of the content from this byte on. */
export const rest =
  (from: number): (() => Response) =>
  () =>
    reply(206, { etag, 'content-range': `bytes ${from}-9/10` }, whole.slice(from))
