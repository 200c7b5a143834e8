import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Har } from '../../src/index.ts'
import { harProblems } from '../support/har-check.ts'
import { httpServer, type LocalServer } from '../support/server.ts'

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

interface Run {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs the built command line to its end. */
function steadfetch(args: readonly string[], input = ''): Promise<Run> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [program, ...args])
    let out = ''
    let err = ''
    child.stdout.on('data', (part) => (out += part))
    child.stderr.on('data', (part) => (err += part))
    child.on('close', (code) => resolve({ code, out, err }))
    child.stdin.end(input)
  })
}

let server: LocalServer
let visits = 0

beforeAll(async () => {
  server = await httpServer((request, response) => {
    const status = Number(request.url?.slice(1))
    if (request.url === '/flaky') response.writeHead(++visits % 3 === 0 ? 200 : 503).end('made it\n')
    else if (request.url === '/old') response.writeHead(301, { location: '/new' }).end()
    else if (request.url?.startsWith('/reset') === true) request.socket.destroy()
    else if (request.url === '/steering')
      request.socket.end('HTTP/1.1 599 Odd\xc2\x9b2J\r\nx-steering: a\x9b2Jb\r\ncontent-length: 0\r\n\r\n', 'latin1')
    else if (request.url === '/echo') {
      response.setHeader('x-type', request.headers['content-type'] ?? 'none')
      response.setHeader('x-method', request.method ?? '')
      response.setHeader('x-mine', request.headers['x-mine'] ?? 'none')
      request.pipe(response)
    } else
      response.writeHead(status >= 200 ? status : 200, { 'x-test': 'yes' }).end(status === 204 ? '' : `body of ${request.url}\n`)
  })
})
afterAll(() => server[Symbol.asyncDispose]())

describe('steadfetch <url>', () => {
  test('prints the body and nothing else', async () => {
    expect(await steadfetch([`${server.origin}/hello`])).toEqual({ code: 0, out: 'body of /hello\n', err: '' })
  })

  test('takes a target without a scheme as http', async () => {
    expect((await steadfetch([`${server.origin.slice('http://'.length)}/hello`])).out).toBe('body of /hello\n')
  })

  test('-i prints the status line and the fields before it', async () => {
    const { out } = await steadfetch(['-i', `${server.origin}/hello`])
    expect(out).toMatch(/^200 OK\n(?:[a-z-]+: .*\n)*x-test: yes\n\nbody of \/hello\n$/)
  })

  test('-X, -H and -d send method, fields and content', async () => {
    const { out } = await steadfetch([`${server.origin}/echo`, '-i', '-X', 'PUT', '-H', 'X-Mine: a: b', '-d', 'a=1'])
    expect(out).toContain('x-method: PUT\n')
    expect(out).toContain('x-mine: a: b\n')
    expect(out).toContain('x-type: application/x-www-form-urlencoded\n')
    expect(out).toMatch(/\n\na=1$/)
  })

  test('-d alone is a POST; @- reads standard input, @file a file', async () => {
    const piped = await steadfetch([`${server.origin}/echo`, '-i', '-d', '@-'], 'from stdin')
    expect(piped.out).toMatch(/x-method: POST[\s\S]*\n\nfrom stdin$/)
    const file = await steadfetch([`${server.origin}/echo`, '-d', `@${fileURLToPath(import.meta.url)}`])
    expect(file.out).toContain("describe('steadfetch <url>'")
  })

  test('--json sends JSON, and a field of the caller goes before its own', async () => {
    expect((await steadfetch([`${server.origin}/echo`, '-i', '--json', '{"a":1}'])).out).toMatch(
      /x-type: application\/json[\s\S]*\{"a":1\}$/,
    )
    const own = await steadfetch([
      `${server.origin}/echo`,
      '-i',
      '--json',
      '{}',
      '-H',
      'content-type: application/merge-patch+json',
    ])
    expect(own.out).toContain('x-type: application/merge-patch+json\n')
  })

  test('--trace tells attempts, waits and redirects on standard error', async () => {
    const retried = await steadfetch([`${server.origin}/flaky`, '--trace'])
    expect(retried).toMatchObject({ code: 0, out: 'made it\n' })
    expect(retried.err).toMatch(
      /attempt 1 .*\n.*← 503 Service Unavailable\n.*wait .*back-off\n.*attempt 2 [\s\S]*attempt 3 .*\n.*← 200 OK\n.*total +3 attempts\n$/,
    )
    const moved = await steadfetch([`${server.origin}/old`, '--trace'])
    expect(moved.err).toMatch(/← 301 Moved Permanently\n.*redirect +→ http:.*\/new\n.*attempt 2/)
    const posted = await steadfetch([`${server.origin}/500`, '--trace', '-X', 'POST'])
    expect(posted.err).toContain('not repeated  method is not idempotent')
  })

  test('--har writes every attempt to a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'steadfetch-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'a.har')
    expect(await steadfetch([`${server.origin}/old`, '--har', file])).toMatchObject({ code: 0 })
    const archive = JSON.parse(readFileSync(file, 'utf8')) as Har
    expect(harProblems(archive)).toEqual([])
    expect(archive.log.entries.map(({ response }) => response.status)).toEqual([301, 200])
    expect((await steadfetch([`${server.origin}/reset`, '--har', file])).code).toBe(6)
    const failed = JSON.parse(readFileSync(file, 'utf8')) as Har
    expect(failed.log.entries.map(({ response }) => response.status)).toEqual([0, 0, 0])
    const nowhere = await steadfetch([`${server.origin}/hello`, '--har', join(folder, 'no', 'such.har')])
    expect(nowhere).toMatchObject({ code: 2, out: 'body of /hello\n' })
    expect(nowhere.err).toContain('--har: ENOENT')
  })

  test.each([
    ['/204', 0, ''],
    ['/304', 3, ''],
    ['/404', 4, 'steadfetch: 404 Not Found (NotFoundError)\n'],
    ['/500', 5, 'steadfetch: 500 Internal Server Error (InternalServerError)\n'],
  ])('the exit code of %s is that of its class: %i', async (path, code, err) => {
    const run = await steadfetch([`${server.origin}${path}`])
    expect(run).toMatchObject({ code, err })
    if (code > 3) expect(run.out).toBe(`body of ${path}\n`)
  })

  test('a network failure exits with 6 and says why', async () => {
    const { code, err } = await steadfetch([`${server.origin}/reset`])
    expect(code).toBe(6)
    expect(err).toContain('the connection was lost before the response')
  })

  test('--on changes the policy of a status', async () => {
    const before = server.requests.length
    expect((await steadfetch([`${server.origin}/503`, '--on', '503=fail'])).code).toBe(5)
    expect((await steadfetch([`${server.origin}/409`, '--on', '409=retry', '--on', '4xx=accept'])).code).toBe(4)
    expect(server.requests.slice(before)).toEqual(['GET /503', 'GET /409', 'GET /409', 'GET /409'])
  })
})

describe('steadfetch --explain', () => {
  test('tells the policy of a status without sending anything', async () => {
    const { code, out } = await steadfetch(['--explain', '503'])
    expect(code).toBe(0)
    expect(out).toBe(
      '503 Service Unavailable (RFC 9110 §15.6.4)\n  policy       retry, built in\n  repeats      idempotent methods and keyed requests\n' +
        '  Retry-After  pauses the whole origin\n  gives up as  ServiceUnavailableError\n',
    )
    expect((await steadfetch(['--explain', '404', '--on', '4xx=accept'])).out).toContain('accept, set for its class')
    expect((await steadfetch(['--explain', 'network'])).out).toContain('NetworkError')
  })
})

describe('wrong arguments', () => {
  test.each([
    [[], 'a URL is missing'],
    [['http://a/', 'http://b/'], 'only one URL'],
    [['http://a/', '--bogus'], "Unknown option '--bogus'"],
    [['http://a/', '-X'], "'-X, --request <value>'"],
    [['http://a/', '-H', 'nonsense'], "-H wants 'name: value'"],
    [['http://a/', '-d', 'x', '--json', '{}'], 'cannot both be given'],
    [['http://a/', '--on', '404'], '--on wants <status>=<policy>'],
    [['http://a/', '--on', '404=ignore'], 'must be a policy'],
    [['http://a/', '--on', '99=accept'], 'every key of on'],
    [['--explain', 'abc'], '--explain wants a status code'],
    [['ftp://a/'], 'the scheme "ftp:" cannot be fetched'],
    [['http://a/', '-d', '@/no/such/file'], 'no such file'],
    [['http://a/', '-H', 'a b: c'], 'is no field name'],
  ])('%j exit with 2 and say what is wrong', async (args, message) => {
    const { code, out, err } = await steadfetch(args)
    expect(err).toContain(message)
    expect(err).not.toContain('    at ')
    expect([code, out]).toEqual([2, ''])
  })

  test('--help tells all of them', async () => {
    const { code, out } = await steadfetch(['--help'])
    expect(code).toBe(0)
    for (const option of ['-X', '-H', '-d', '--json', '--on', '-i', '--trace', '--har', '--explain'])
      expect(out).toContain(option)
  })
})

describe('no secret', () => {
  const url = (): string => `${server.origin}/500?access_token=s3cr3t-query#s3cr3t-fragment`
  test.each<[string, () => string[]]>([
    ['of a target, in a trace and in the message of a failure', () => [url(), '--trace', '--on', '5xx=fail']],
    ['of a target that is lost', () => [url().replace('/500', '/reset'), '--trace', '-H', 'authorization: Bearer s3cr3t-token']],
    ['of the userinfo of a target', () => [url().replace('//', '//ada:s3cr3t-password@')]],
    ['of a target that is none', () => ['http://ada:s3cr3t-password@[']],
    ['of a field without a colon', () => [url(), '-H', 'Authorization Bearer s3cr3t-token']],
    ['of a field that begins with the colon', () => [url(), '-H', ':s3cr3t-token']],
    ['of a policy that is none', () => [url(), '--on', '401=s3cr3t-token=x']],
    ['of a policy of no code', () => [url(), '--on', 's3cr3t-token=fail']],
    ['of a code that is none', () => ['--explain', 's3cr3t-token']],
  ])('%s stands on standard error', async (_what, args) => {
    const { err } = await steadfetch(args())
    expect(err).not.toBe('')
    expect(err).not.toMatch(/s3cr3t/)
  })
})

test('what a server says steers no terminal', async () => {
  const { out, err } = await steadfetch(['-i', `${server.origin}/steering`])
  expect(out + err).not.toMatch(/[\u007f-\u009f]/)
  expect(out).toContain('x-steering: a\\x9b2Jb\n')
  expect(err).toContain('\\x9b2J')
})
