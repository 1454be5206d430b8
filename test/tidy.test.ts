/** Rules of the code base that no other tool checks. */

import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

const root = path.resolve(import.meta.dirname ?? 'test', '..')

interface SourceFile {
  readonly name: string
  readonly text: string
  /** Code without comments and strings' contents kept: good enough to look for words. */
  readonly code: string
}

function filesBelow(folder: string): SourceFile[] {
  return readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => {
      const file = path.join(entry.parentPath, entry.name)
      const text = readFileSync(file, 'utf8')
      return { name: path.relative(root, file).split(path.sep).join('/'), text, code: withoutComments(text) }
    })
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')
}

function importsOf(file: SourceFile): string[] {
  const found = [...file.code.matchAll(/(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)]
  return found.map((match) => match[1] ?? '')
}

/** The folder of `src` that an import leads to, or undefined for packages and the own folder. */
function foreignFolder(file: SourceFile, target: string): string | undefined {
  if (!target.startsWith('.')) return undefined
  const resolved = path.posix.join(path.posix.dirname(file.name), target).split('/')
  const own = file.name.split('/')[1]
  return resolved[1] === own ? undefined : resolved[1]
}

/** What each folder may import; nothing else of ours. */
const allowed: Record<string, readonly string[]> = {
  barrier: [],
  io: [],
  mesh: ['barrier'],
  cli: ['mesh', 'io', 'barrier'],
}

const source = filesBelow('src')

describe('imports go down only', () => {
  for (const [folder, below] of Object.entries(allowed)) {
    it(`src/${folder} imports ${below.length === 0 ? 'nothing of ours' : below.join(', ')}`, () => {
      const files = source.filter((file) => file.name.startsWith(`src/${folder}/`))
      expect(files.length).toBeGreaterThan(0)
      const wrong: string[] = []
      for (const file of files) {
        for (const target of importsOf(file)) {
          const foreign = foreignFolder(file, target)
          if (foreign === undefined) continue
          if (!below.includes(foreign)) wrong.push(`${file.name} imports ${target}`)
          else if (!target.endsWith(`/${foreign}/mod.ts`)) wrong.push(`${file.name} enters ${foreign} by ${target}`)
        }
      }
      expect(wrong).toEqual([])
    })
  }

  it('only src/mesh knows libp2p', () => {
    const wrong = source
      .filter((file) => !file.name.startsWith('src/mesh/'))
      .filter((file) => importsOf(file).some((target) => /libp2p|multiformats/.test(target)))
    expect(wrong.map((file) => file.name)).toEqual([])
  })
})

it('no file imports itself by way of others, types included', () => {
  const imports = new Map(source.map((file) => [file.name, ownImports(file)]))
  const circles = [...imports.keys()].map((name) => circleFrom(name, imports)).filter((way) => way.length > 0)
  expect(circles).toEqual([])
})

function ownImports(file: SourceFile): string[] {
  const folder = path.posix.dirname(file.name)
  return importsOf(file)
    .filter((target) => target.startsWith('.'))
    .map((target) => path.posix.join(folder, target))
}

/** The files on a way from `name` back to it, in order; none where there is no such way. */
function circleFrom(name: string, imports: ReadonlyMap<string, readonly string[]>): string[] {
  const cameFrom = new Map<string, string>()
  const next = [name]
  for (let file = next.shift(); file !== undefined; file = next.shift()) {
    for (const target of imports.get(file) ?? []) {
      if (target === name) return [...wayTo(file, cameFrom), name]
      if (cameFrom.has(target)) continue
      cameFrom.set(target, file)
      next.push(target)
    }
  }
  return []
}

function wayTo(file: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const before = cameFrom.get(file)
  return before === undefined ? [file] : [...wayTo(before, cameFrom), file]
}

it('the barrier core is sans-IO', () => {
  const forbidden =
    /\bDate\b|\bMath\.random\b|\bperformance\b|\bsetTimeout\b|\bsetInterval\b|\basync\b|\bawait\b|\bPromise\b|\bconsole\b|\bprocess\b|node:/
  const wrong: string[] = []
  for (const file of source.filter(({ name }) => name.startsWith('src/barrier/'))) {
    const match = file.code.match(forbidden)
    if (match !== null) wrong.push(`${file.name}: ${match[0]}`)
  }
  expect(wrong).toEqual([])
})

it('a file is one idea: at most 500 lines', () => {
  const long = source
    .map(({ name, text }) => ({ name, lines: text.split('\n').length }))
    .filter(({ lines }) => lines > 500)
  expect(long).toEqual([])
})

it('sources run without a build step: the compiler refuses what is not erasable, and there are no default exports', () => {
  const { compilerOptions } = JSON.parse(readFileSync(path.join(root, 'tsconfig.json'), 'utf8'))
  expect(compilerOptions.erasableSyntaxOnly).toBe(true)
  expect(source.filter(({ code }) => /^export default/m.test(code)).map(({ name }) => name)).toEqual([])
})

it('every folder of src has a mod.ts, and both configurations export it: the package as JavaScript with types', () => {
  const folders = Object.keys(allowed)
  const exportsOf = (name: string) => JSON.parse(readFileSync(path.join(root, name), 'utf8')).exports
  const each = (target: (folder: string) => unknown) =>
    Object.fromEntries(folders.map((folder) => [`./${folder}`, target(folder)]))
  expect(exportsOf('deno.json')).toEqual(each((folder) => `./src/${folder}/mod.ts`))
  expect(exportsOf('package.json')).toEqual(
    each((folder) => ({ types: `./dist/${folder}/mod.d.ts`, default: `./dist/${folder}/mod.js` })),
  )
  for (const folder of folders) expect(source.map(({ name }) => name)).toContain(`src/${folder}/mod.ts`)
})

it('nothing is left unfinished', () => {
  const words = new RegExp(['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'not imple' + 'mented'].join('|'))
  const files = [...source, ...filesBelow('test')]
  expect(files.filter(({ text }) => words.test(text)).map(({ name }) => name)).toEqual([])
})
