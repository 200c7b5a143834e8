import type { ClientOptions, CookieJar, SteadInit } from '../../src/index.ts'

const planted = new Set<string>()

/** A secret that stands nowhere else; whatever is planted is looked for in every error. */
export function plant(name: string): string {
  const secret = `s3cr3t-${name}`
  planted.add(secret)
  return secret
}

/** Everything that was planted so far. */
export function allPlanted(): string[] {
  return [...planted]
}

/** Where a request keeps secrets that is otherwise ordinary; `path` is a path with a query that may have more. */
export function guarded(origin: string, path = '/orders?q=1'): string {
  const query = [
    `access_token=${plant('query')}`,
    `code=${plant('oauth-code')}`,
    `X-Amz-Signature=${plant('signed')}`,
    `Tenant_Ref=${plant('own-parameter')}`,
    `next=${encodeURIComponent(`https://sso.test/?ticket=${plant('nested')}`)}`,
    `jwt=eyJhbGciOiJub25lIn0.${plant('jwt')}.`,
  ]
  return `${origin}${path.replace('?', `;jsessionid=${plant('path-parameter')}?${query.join('&')}&`)}#${plant('fragment')}`
}

/** Credentials of every kind, in fields. */
export function guardedFields(): Record<string, string> {
  return {
    authorization: `Basic ${Buffer.from(`ada:${plant('authorization')}`).toString('base64')}`,
    'proxy-authorization': `Bearer ${plant('proxy-authorization')}`,
    cookie: `sid=${plant('cookie')}; theme=${plant('cookie-theme')}`,
    'x-api-key': plant('api-key'),
    'x-tenant': plant('own-field'),
    referer: `https://ada:${plant('referer-password')}@app.test/?token=${plant('referer')}#${plant('referer-fragment')}`,
  }
}

/** The names that a caller adds to the usual ones. */
export const ownNames = { fields: ['X-Tenant'], parameters: ['tenant_ref'] }

/** A jar that has a cookie for everybody. */
export const jar: CookieJar = { getCookieString: () => `jar=${plant('jar')}`, setCookie: () => undefined }

/** Options of a client with secrets of its own. */
export const guardedOptions: ClientOptions = { redact: ownNames, cookies: jar, maxAttempts: 1 }

/** Contents that are sent; what is sent is nobody's business. */
export const contents: Readonly<Record<string, () => SteadInit>> = {
  text: () => ({ method: 'PUT', body: plant('text-content') }),
  JSON: () => ({ method: 'PUT', json: { password: plant('json-content') } }),
  'a form': () => ({ method: 'PUT', body: new URLSearchParams({ pin: plant('form-content') }) }),
  nothing: () => ({ method: 'GET' }),
}

/** Fields of a response, secret ones among them. */
export function answerFields(): Record<string, string> {
  return {
    'content-type': 'application/problem+json',
    'set-cookie': `sid=${plant('set-cookie')}; HttpOnly`,
    'www-authenticate': `Digest realm="a", nonce="${plant('nonce')}"`,
    'authentication-info': `nextnonce="${plant('next-nonce')}"`,
    'content-location': `/orders/1?token=${plant('content-location')}`,
    link: `</orders?page=2&api_key=${plant('link')}>; rel="next", <https://ada:${plant('link-password')}@api.test/>; rel="up"`,
    'x-tenant': plant('own-answer-field'),
    'x-debug': `tried Bearer ${plant('answer-bearer')} at https://ada:${plant('answer-userinfo')}@db.test/`,
  }
}

/** Content of a failed response. */
export function answerContent(): string {
  return JSON.stringify({ title: 'No', detail: plant('problem'), access_token: plant('answer-token') })
}

/** What an HTTP library may throw: a message, members and causes full of what was sent. */
export function dirty(code: string, message = 'request failed'): Error {
  const inner = Object.assign(new Error(`Authorization: Bearer ${plant('inner-authorization')}`), {
    code: 'EINNER',
    headers: { authorization: plant('inner-fields') },
    url: `https://ada:${plant('inner-url')}@api.test/`,
  })
  const several = Object.assign(new AggregateError([inner, new Error(`password=${plant('aggregated')}`)], 'all failed'), {
    inner,
  })
  const error = Object.assign(
    new Error(
      `${message} for https://ada:${plant('message-password')}@api.test/?token=${plant('message-query')}#${plant('message-fragment')}` +
        `\nproxy ada:${plant('message-proxy')}@proxy.test:3128, x-api-key: ${plant('api-key')}, ${plant('own-field')}` +
        `\n    at forged (frame)\u001b[2K\u202e${plant('message-jwt') && ''}eyJhbGciOiJub25lIn0.${plant('message-jwt')}.`,
      { cause: several },
    ),
    {
      code,
      input: plant('input'),
      config: { headers: { authorization: plant('config') }, proxy: { password: plant('config-proxy') } },
      data: plant('data'),
      apiKey: plant('member'),
      note: `Cookie: sid=${plant('note-cookie')}; theme=${plant('note-theme')}`,
      socket: { _httpMessage: { header: plant('socket') } },
      [Symbol('options')]: { passphrase: plant('symbol') },
      dump: () => plant('function'),
    },
  )
  Object.defineProperty(error, 'hidden', { value: plant('hidden'), enumerable: false })
  Object.defineProperty(error, 'lazy', { get: () => plant('getter'), enumerable: true })
  return error
}

/** The same as fetch throws it. */
export function dirtyFetchFailure(code: string): TypeError {
  return new TypeError('fetch failed', { cause: dirty(code) })
}
