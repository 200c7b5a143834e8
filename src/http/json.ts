import { BodyError } from '../errors/body-error.ts'
import type { Exchange } from '../exchange.ts'
import { isBodiless, statusClass } from '../status/table.ts'
import type { SchemaIssue, StandardSchema } from '../types/schema.ts'
import { jsonErrorAt } from './json-position.ts'

/** How much of the content around an error is kept. */
const excerptLength = 60

/** The response that JSON content is of. */
interface Source {
  readonly status: number
  /** The exchange it came from. */
  readonly watcher: unknown
}

/**
 * The JSON content of a response, validated where there is a schema for it. A response without content, such as a 204, has
 * none to be wrong: that is undefined.
 *
 * @throws BodyError of kind `'json'` for what is no JSON, of kind `'schema'` for what the schema refuses.
 */
export function readJson(text: string, source: Source): unknown {
  const exchange = source.watcher as Exchange | undefined
  if (exchange === undefined || exchange.options.errors === 'fetch') return validatedIf(exchange, source, JSON.parse(text))
  if (text === '' && isBodiless(exchange.request.method, source.status)) return undefined
  return validatedIf(exchange, source, parsed(text, exchange))
}

/** The schema for responses of this status; undefined when there is none. */
export function schemaFor({ options }: Exchange, status: number): StandardSchema | undefined {
  const { schema } = options
  return schema?.[status] ?? schema?.[statusClass(status)]
}

function validatedIf(exchange: Exchange | undefined, { status }: Source, value: unknown): unknown {
  const schema = exchange && schemaFor(exchange, status)
  return exchange === undefined || schema === undefined ? value : validated(exchange, schema, value)
}

async function validated(exchange: Exchange, schema: StandardSchema, value: unknown): Promise<unknown> {
  const result = await schema['~standard'].validate(value)
  if (result.issues === undefined) return result.value
  const { issues } = result
  const places = [...new Set(issues.map(placeOf))].slice(0, 5).join(', ')
  const summary = `the content does not fit its schema: ${issues.length} ${issues.length === 1 ? 'issue' : 'issues'}, at ${places}`
  throw new BodyError('schema', summary, exchange.facts(), undefined, { issues })
}

/** Names of members are told, their values are not. */
function placeOf({ path = [] }: SchemaIssue): string {
  const names = path.map((part) => String(typeof part === 'object' ? part.key : part))
  return names.length === 0 ? 'its root' : names.join('.')
}

function parsed(text: string, exchange: Exchange): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The message of the platform shows a part of the content, which may be secret: it is not the cause.
    const position = jsonErrorAt(text) ?? text.length
    const before = text.slice(0, position)
    const line = before.split('\n').length
    const summary =
      text === ''
        ? 'there is no content to be read as JSON'
        : `the content is no JSON, from position ${position} on (line ${line}, column ${position - before.lastIndexOf('\n')})`
    const start = Math.max(0, position - excerptLength / 2)
    throw new BodyError('json', summary, exchange.facts(), undefined, {
      position,
      excerpt: text.slice(start, start + excerptLength),
    })
  }
}
