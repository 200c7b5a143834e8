import { Console } from 'node:console'
import { Writable } from 'node:stream'
import { format, inspect } from 'node:util'
import { traceOf } from '../../src/index.ts'

/** Accessors that are the caller's explicit way to what a response holds; nothing else may lead there. */
const explicit = new Set(['headers', 'body', 'problem', 'data', 'operation', 'excerpt', 'issues'])
/** Those of one status read a field of the response. */
const ofOneStatus = new Set(['allow', 'accept', 'acceptEncoding', 'upgrade', 'blockedBy', 'completeLength'])

/** What a console writes. */
function written(value: unknown): string {
  let text = ''
  const stream = new Writable({
    write(part, _encoding, done) {
      text += String(part)
      done()
    },
  })
  new Console({ stdout: stream, stderr: stream }).error('failed:', value, { value })
  return text
}

/** Everything that own properties and accessors lead to, symbols and hidden ones too, but for the explicit accessors. */
function walked(value: unknown, seen = new Set<unknown>(), depth = 0): string[] {
  if (typeof value === 'string') return [value]
  if (((typeof value !== 'object' || value === null) && typeof value !== 'function') || seen.has(value) || depth > 8) return []
  seen.add(value)
  const found: string[] = []
  for (let owner: object | null = value as object; owner !== null && !isOfPlatform(owner); owner = Object.getPrototypeOf(owner)) {
    for (const key of Reflect.ownKeys(owner)) {
      found.push(String(key))
      if (owner !== value && (key === 'constructor' || explicit.has(String(key)) || ofOneStatus.has(String(key)))) continue
      if (ArrayBuffer.isView(value)) found.push(Buffer.from(value.buffer).toString('latin1'))
      else found.push(...walked(Reflect.get(owner, key, value), seen, depth + 1))
    }
  }
  return found
}

function isOfPlatform(owner: object): boolean {
  return [Object.prototype, Function.prototype, Error.prototype, TypeError.prototype, Array.prototype].includes(owner as never)
}

/** Whatever can be seen of an error by somebody who logs it, and of all its causes, by the name of the way out. */
export function exitsOf(error: unknown): Map<string, string> {
  const exits = new Map<string, string>()
  exits.set('inspect', inspect(error))
  exits.set('inspect, hidden', inspect(error, { showHidden: true, depth: 8 }))
  exits.set('inspect, getters', inspect({ error }, { showHidden: true, getters: true, depth: 8 }))
  exits.set('inspect, in colours', inspect([error], { colors: true, compact: false, depth: null }))
  exits.set('format', ['%s', '%o', '%O', '%j'].map((how) => format(how, error)).join('\n'))
  exits.set('console', written(error))
  exits.set('JSON', JSON.stringify({ error, list: [error] }))
  exits.set('String', `${String(error)}${error}`)
  exits.set('walk', walked(error).join('\n'))
  exits.set('trace', inspect(traceOf(error), { depth: 8 }) + JSON.stringify(traceOf(error)))
  if (error instanceof Error) {
    exits.set('stack', `${error.stack}\n${error.message}`)
    exits.set('clone', inspect(structuredClone(error), { showHidden: true, depth: 8 }))
    const inner = [error.cause, ...((error as Partial<AggregateError>).errors ?? [])].filter((one) => one !== undefined)
    for (const [index, one] of inner.entries())
      for (const [name, text] of exitsOf(one)) exits.set(`cause ${index}: ${name}`, text)
  }
  return exits
}

/** The ways out on which a secret is told, as it is, in base64 or percent-encoded: `walk: s3cr3t-cookie`. */
export function leaks(exits: Map<string, string>, secrets: readonly string[]): string[] {
  return [...exits].flatMap(([name, text]) =>
    secrets.filter((secret) => formsOf(secret).some((form) => text.includes(form))).map((secret) => `${name}: ${secret}`),
  )
}

function formsOf(secret: string): string[] {
  const codings = ['', ' ', '  '].map((shift) => Buffer.from(shift + secret).toString('base64'))
  // What stands before and after a secret changes its first and its last letters in base64.
  return [secret, Buffer.from(secret).toString('hex'), ...codings.map((coded) => coded.slice(4, -4))]
}
