import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, constants, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** One line of the access log. */
export interface Logged {
  readonly status: number
  readonly method: string
  readonly uri: string
}

/** A running nginx that is stopped, its folder removed, when it is disposed of. */
export interface Nginx extends AsyncDisposable {
  /** The requests it has answered so far, in the order in which they ended. */
  logged(): Promise<Logged[]>
}

/** What an nginx serves. */
export interface Site {
  /** The loopback port that answers once it is ready. */
  readonly port: number
  /** What stands inside of `http { }`. */
  readonly http: string
  /** Static files by name; the default root holds them. */
  readonly files?: Readonly<Record<string, string>>
}

const startLimitMs = 5_000
const stopLimitMs = 2_000

/**
 * Starts nginx in the foreground, everything it writes in a folder of its own.
 *
 * @throws Error when there is no nginx, or it does not start; the message tells which.
 */
export async function startNginx(site: Site): Promise<Nginx> {
  const binary = await findNginx()
  const folder = await mkdtemp(join(tmpdir(), 'steadfetch-nginx-'))
  const config = join(folder, 'nginx.conf')
  await mkdir(join(folder, 'files'))
  for (const [name, text] of Object.entries(site.files ?? {})) await writeFile(join(folder, 'files', name), text)
  await writeFile(config, configOf(folder, site.http))
  const child = spawn(binary, ['-p', folder, '-e', join(folder, 'error.log'), '-c', config], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const killChild = (): boolean => child.kill('SIGKILL')
  process.once('exit', killChild)
  const stop = async (): Promise<void> => {
    await end(child)
    process.off('exit', killChild)
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await answering(child, site.port)
  } catch (error) {
    const log = await readFile(join(folder, 'error.log'), 'utf8').catch(() => '')
    await stop()
    throw new Error(`${binary} did not start\n${log}`, { cause: error })
  }
  return { logged: () => readLog(join(folder, 'access.log')), [Symbol.asyncDispose]: stop }
}

/** Loopback ports that nobody listens on, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}

/** An unprivileged PATH often lacks the folders of servers. */
async function findNginx(): Promise<string> {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  for (const folder of folders) {
    const file = join(folder, 'nginx')
    const runs = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (folder !== '' && runs) return file
  }
  throw new Error('nginx was not found; these tests run against a real one: apt-get install nginx-light')
}

/** No master process, so that it runs as the user of the tests and needs no right to change to another. */
function configOf(folder: string, http: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`)
  return `
    daemon off;
    master_process off;
    pid ${folder}/nginx.pid;
    error_log ${folder}/error.log warn;
    events { worker_connections 512; }
    http {
      ${temporary.join('\n')}
      log_format steadfetch '$status\\t$request_method\\t$request_uri';
      access_log ${folder}/access.log steadfetch;
      root ${folder}/files;
      types { }
      default_type text/plain;
      ${http}
    }
  `
}

async function answering(child: ChildProcess, port: number): Promise<void> {
  let failure: unknown
  child.once('error', (error) => {
    failure = error
  })
  for (let waitedMs = 0; waitedMs < startLimitMs; waitedMs += 20) {
    if (failure !== undefined) throw failure
    if (child.exitCode !== null) throw new Error(`it ended with exit code ${child.exitCode}`)
    if (await connects(port)) return
    await sleep(20)
  }
  throw new Error(`it did not answer on port ${port} within ${startLimitMs} ms`)
}

async function connects(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), stopLimitMs)
  await ended
  clearTimeout(timer)
}

async function readLog(file: string): Promise<Logged[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '')
  return lines.map((line) => {
    const [status, method, uri] = line.split('\t') as [string, string, string]
    return { status: Number(status), method, uri }
  })
}
