import { registerHooks } from 'node:module'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** A module of the suite. It asks for undici, which it takes from us where it has none. */
export function suiteModule(suite: string, path: string): Promise<unknown> {
  return import(pathToFileURL(join(suite, path)).href)
}

/** Starts the server of the suite on a free port, and gives its address. */
export async function serve(suite: string): Promise<string> {
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'undici' ? next(specifier, { ...context, parentURL: import.meta.url }) : next(specifier, context),
  })
  const port = await freePort()
  Object.assign(process.env, {
    npm_config_protocol: 'http',
    npm_config_port: String(port),
    npm_config_pidfile: join(tmpdir(), `steadfetch-cache-suite-${port}.pid`),
  })
  await suiteModule(suite, 'test-engine/server/server.mjs')
  return `http://localhost:${port}`
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((listening) => server.listen(0, listening))
  const { port } = server.address() as AddressInfo
  await new Promise((closed) => server.close(closed))
  return port
}
