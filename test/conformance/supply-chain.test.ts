import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

interface Package {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly scripts?: Readonly<Record<string, string>>
  readonly allowScripts?: Readonly<Record<string, boolean>>
  readonly files?: readonly string[]
}
interface Locked {
  readonly version?: string
  readonly integrity?: string
  readonly dev?: boolean
  readonly devOptional?: boolean
  readonly optional?: boolean
  readonly resolved?: string
  readonly hasInstallScript?: boolean
}

const text = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const own = JSON.parse(text('package.json')) as Package
const lock = JSON.parse(text('package-lock.json')) as { readonly packages: Readonly<Record<string, Locked>> }
const locked = Object.entries(lock.packages).filter(([path]) => path !== '')
/** What a service that installs steadfetch gets with it. */
const shipped = locked.filter(([, { dev, devOptional }]) => dev !== true && devOptional !== true).map(([path]) => path)

describe('what steadfetch is built from', () => {
  it('is pinned to the digit', () => {
    const versions = Object.entries({ ...own.dependencies, ...own.devDependencies })
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([])
  })

  it('has a reason in CONTRIBUTING.md, package by package', () => {
    const rows = text('CONTRIBUTING.md').match(/^\| [^|]+ \| [^|]+ \|$/gm) ?? []
    const reasons = new Set(rows.flatMap((row) => (row.split('|')[1] as string).split(',').map((name) => name.trim())))
    const names = Object.keys({ ...own.dependencies, ...own.devDependencies })
    expect(names.filter((name) => !reasons.has(name))).toEqual([])
  })

  it('is known by its digest, and comes from wherever the registry of the installer is', () => {
    expect(locked.filter(([, { integrity }]) => !integrity?.startsWith('sha512-')).map(([path]) => path)).toEqual([])
    expect(locked.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual([])
  })

  it('runs nothing when it is installed, but for the Node.js of our own scripts', () => {
    expect(locked.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)).toEqual(['node_modules/node'])
    expect(own.allowScripts).toEqual({ node: true })
  })
})

describe('what a service installs', () => {
  it('is steadfetch and four packages, which have no dependencies beyond', () => {
    expect(shipped).toEqual([
      'node_modules/is-network-error',
      'node_modules/p-retry',
      'node_modules/structured-headers',
      'node_modules/undici',
    ])
  })

  it('runs no script of ours', () => {
    const run = Object.keys(own.scripts ?? {}).filter((name) => /^(?:pre|post)?(?:install|prepare|uninstall)$/.test(name))
    expect(run).toEqual([])
  })

  it('holds the build and the changelog alone', () => {
    expect(own.files).toEqual(['dist', 'CHANGELOG.md'])
  })

  it('makes no code from text, and starts no process', () => {
    const files = readdirSync(new URL('../../src/', import.meta.url), { recursive: true, encoding: 'utf8' })
    const sources = files.filter((file) => file.endsWith('.ts'))
    expect(sources.length).toBeGreaterThan(100)
    const forbidden = /\beval\(|new Function\(|node:vm|node:child_process|node:worker_threads|process\.binding|import\((?!')/
    expect(sources.filter((file) => forbidden.test(text(`src/${file}`)))).toEqual([])
  })
})
