/** What a validator says is wrong with a value. */
export interface SchemaIssue {
  readonly message: string
  /** Where in the value. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** What a validator makes of a value. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

/** A validator of any library that follows Standard Schema, version 1 (standardschema.dev). */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** What a schema makes of what it accepts. */
export type SchemaOutput<Schema> = Schema extends StandardSchema<infer _Input, infer Output> ? Output : never

/** Schemas by status code or class; the most specific key wins. */
export type SchemaTable =
  | Readonly<Record<number | `${1 | 2 | 3 | 4 | 5}xx`, StandardSchema>>
  | { readonly [key: string]: StandardSchema }

/** A Response whose JSON content is of a known type. */
export interface TypedResponse<Content> extends Response {
  /** The JSON content, as the schema has made it. */
  json(): Promise<Content>
  clone(): TypedResponse<Content>
}
