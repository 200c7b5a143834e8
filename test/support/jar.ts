import type { CookieJar } from '../../src/index.ts'

/** A jar that keeps cookies by host and path, and forgets what is set with Max-Age=0; everything it was asked is noted. */
export class SmallJar implements CookieJar {
  readonly #cookies = new Map<string, Map<string, { readonly path: string; readonly pair: string }>>()
  readonly taken: [cookie: string, url: string][] = []
  readonly asked: string[] = []

  async getCookieString(url: string): Promise<string> {
    this.asked.push(url)
    const { host, pathname } = new URL(url)
    const ofHost = [...(this.#cookies.get(host)?.values() ?? [])]
    return ofHost
      .filter(({ path }) => pathname.startsWith(path))
      .map(({ pair }) => pair)
      .join('; ')
  }

  async setCookie(cookie: string, url: string): Promise<void> {
    this.taken.push([cookie, url])
    const [pair = '', ...attributes] = cookie.split(/; */)
    const name = pair.split('=', 1)[0] as string
    const { host } = new URL(url)
    const ofHost = this.#cookies.get(host) ?? new Map()
    this.#cookies.set(host, ofHost)
    const path = attributes.find((attribute) => /^path=/i.test(attribute))?.slice('path='.length) ?? '/'
    if (attributes.some((attribute) => /^max-age=0$/i.test(attribute))) ofHost.delete(name)
    else ofHost.set(name, { path, pair })
  }
}
