import type { Exchange } from './exchange.ts'
import { decodeUtf8 } from './http/collect.ts'
import { schemaFor } from './http/json.ts'
import { isJson } from './http/representation.ts'
import type { Bytes } from './types/body.ts'
import type { Received } from './types/exchange.ts'
import type { StandardSchema } from './types/schema.ts'

/** The content of a failed response, as its schema has made it. */
export interface Validated {
  readonly schema: StandardSchema
  readonly value: unknown
}

/** The JSON content of a failed response that fits the schema for it; undefined when there is no such content or schema. */
export async function validated(exchange: Exchange, received: Received, content: Bytes): Promise<Validated | undefined> {
  const schema = schemaFor(exchange, received.status)
  if (schema === undefined || !isJson(received)) return undefined
  let value: unknown
  try {
    value = JSON.parse(decodeUtf8([content]))
  } catch {
    // The status is the error; content that cannot be read is still in its body.
    return undefined
  }
  const result = await schema['~standard'].validate(value)
  return result.issues === undefined ? { schema, value: result.value } : undefined
}
