import { inspect } from 'node:util'
import { redactUrl } from '../errors/redact.ts'
import { redactFields } from '../errors/redact-fields.ts'
import { redactText } from '../errors/redact-text.ts'
import type { Exchange } from '../exchange.ts'

/** What console.log shows of a Response: the members of the platform's, secrets masked. */
type Shown = Pick<Response, 'status' | 'statusText' | 'headers' | 'bodyUsed' | 'ok' | 'redirected' | 'type' | 'url'>

/** A Response as inspect shows it; the body is not touched. `watcher` is the exchange it came from. */
export function shownResponse(response: Shown, watcher: unknown, options: object): string {
  const { status, bodyUsed, ok, redirected, type } = response
  const own = (watcher as Exchange | undefined)?.options.redact
  const shown = {
    status,
    statusText: redactText(response.statusText, own),
    headers: { ...redactFields(response.headers, own) },
    bodyUsed,
    ok,
    redirected,
    type,
    url: response.url === '' ? '' : redactUrl(response.url, own),
  }
  return `Response ${inspect(shown, options)}`
}
