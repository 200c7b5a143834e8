import type { Keyring } from '../policy/keyring.ts'
import type { Layer } from '../types/exchange.ts'

/**
 * Puts the credentials that were got on each request at the moment it is sent. They are not made part of the request of the
 * exchange: a redirect would carry them on.
 */
export function credentialsLayer(keyring: Keyring): Layer {
  return (next) => (exchange) => {
    const grants = keyring.grants(exchange)
    if (grants.length === 0) return next(exchange)
    const given = exchange.request
    let { fields } = given
    for (const grant of grants) fields = grant.over(fields)
    exchange.request = { ...given, fields, granted: grants }
    try {
      return next(exchange).then((outcome) => (outcome.kind === 'response' ? { ...outcome, grants } : outcome))
    } finally {
      exchange.request = given
    }
  }
}
