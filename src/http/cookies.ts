/** The cookies of a jar and those that the caller names, which count where both have one of a name, RFC 6265 §5.4. */
export function joinCookies(ofCaller: string | undefined, ofJar: string): string {
  if (ofCaller === undefined || ofCaller === '') return ofJar
  const named = new Set(pairsOf(ofCaller).map(nameOf))
  return [...pairsOf(ofJar).filter((pair) => !named.has(nameOf(pair))), ofCaller].join('; ')
}

function pairsOf(cookies: string): string[] {
  return cookies.split(/;[\t ]*/).filter((pair) => pair !== '')
}

function nameOf(pair: string): string {
  return (pair.split('=', 1)[0] as string).trim()
}
