/**
 * The built package, as its users have it. A package cannot be imported by its name from the folder of another, which
 * this is; the types are those of the sources, so that they can be checked before a build.
 */
const built: typeof import('steadfetch') = await import(new URL('../../../dist/index.js', import.meta.url).href)

export const { createFetch, fail, fallback, fetchStandard, isHttpError, pause, retry } = built
