/** A small jar of cookies: by origin, without attributes. */
export class Jar {
  readonly kept = new Map<string, Map<string, string>>()

  async getCookieString(url: string): Promise<string> {
    const cookies = this.kept.get(new URL(url).origin) ?? new Map<string, string>()
    return [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  async setCookie(cookie: string, url: string): Promise<void> {
    const [, name, value] = /^([^=;]+)=([^;]*)/.exec(cookie) ?? []
    if (name === undefined) throw new Error('no cookie')
    const { origin } = new URL(url)
    this.kept.set(origin, (this.kept.get(origin) ?? new Map<string, string>()).set(name, value ?? ''))
  }
}
