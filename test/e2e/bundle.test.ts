/** The bundle that makes a start quick: used as long as it is of the sources that are there, and as good as they are. */

import { spawnSync } from 'node:child_process'
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'

interface LateLoading {
  loadLate(code: string): string
}

interface Bundling {
  freshBundle(project?: string): string | undefined
  makeBundle(project?: string): Promise<void>
}

const root = path.resolve(import.meta.dirname ?? 'test/e2e', '../..')
const { freshBundle, makeBundle }: Bundling = await import(path.join(root, 'scripts/bundle.js'))
const { loadLate }: LateLoading = await import(path.join(root, 'scripts/late.js'))

function run(...args: string[]): string {
  return runWith({}, ...args)
}

function runWith(env: NodeJS.ProcessEnv, ...args: string[]): string {
  const options = { cwd: root, encoding: 'utf8', env: { ...process.env, ...env } } as const
  const { stdout, stderr, status } = spawnSync(process.execPath, args, options)
  if (status !== 0) throw new Error(stderr)
  return stdout
}

it('is made once for each state of the sources, which find their files where they were', async () => {
  const project = await mkdtemp(path.join(tmpdir(), 'paceline-bundle-'))
  try {
    const folder = path.join(project, 'src/cli')
    await mkdir(folder, { recursive: true })
    await writeFile(
      path.join(folder, 'word.ts'),
      `export const word: string = new URL('./word.txt', import.meta.url).pathname\n`,
    )
    await writeFile(path.join(folder, 'main.ts'), `import { word } from './word.ts'\nconsole.log(word)\n`)
    expect(freshBundle(project)).toBeUndefined()
    await makeBundle(project)
    const first = freshBundle(project)
    if (first === undefined) throw new Error('no bundle was made')
    expect(run(first)).toBe(`${path.join(folder, 'word.txt')}\n`)
    await appendFile(path.join(folder, 'main.ts'), `console.log('and more')\n`)
    expect(freshBundle(project)).toBeUndefined()
    await Promise.all([makeBundle(project), makeBundle(project)])
    expect(run(freshBundle(project) ?? '')).toContain('and more')
    expect(await readdir(path.join(project, 'node_modules/.cache/paceline'))).toHaveLength(1)
  } finally {
    await rm(project, { recursive: true, force: true })
  }
})

it('runs with what an earlier process has left compiled, and without where that is of no use', async () => {
  const project = await mkdtemp(path.join(tmpdir(), 'paceline-bundle-'))
  try {
    const folder = path.join(project, 'src/cli')
    await mkdir(folder, { recursive: true })
    await writeFile(
      path.join(folder, 'main.ts'),
      `void import('./greet.ts').then(({ greet }) => console.log(greet('you')))\n`,
    )
    await writeFile(path.join(folder, 'greet.ts'), `export const greet = (who: string): string => 'hello ' + who\n`)
    await makeBundle(project)
    const bundle = freshBundle(project) ?? ''
    const start = path.join(project, 'start.mjs')
    await writeFile(
      start,
      `import { runCompiled } from ${JSON.stringify(path.join(root, 'scripts/compiled.js'))}\nrunCompiled(process.argv[2])\n`,
    )
    expect(run(start, bundle)).toBe('hello you\n')
    const kept = async () => (await readdir(path.dirname(bundle))).filter((name) => name.endsWith(process.arch))
    expect(await kept()).toEqual([])
    expect(runWith({ PACELINE_KEEP_COMPILED: '1' }, start, bundle)).toBe('hello you\n')
    const files = (await kept()).map((name) => path.join(path.dirname(bundle), name))
    // V8 looks at the length of the source: what is said tells where it came from.
    for (const file of files) {
      const chunk = file.slice(0, file.lastIndexOf('.js') + 3)
      await writeFile(chunk, (await readFile(chunk, 'utf8')).replace('hello', 'HELLO'))
    }
    expect(run(start, bundle)).toBe('hello you\n')
    for (const file of files) await writeFile(file, (await readFile(file)).fill(0))
    expect(run(start, bundle)).toBe('HELLO you\n')
  } finally {
    await rm(project, { recursive: true, force: true })
  }
})

it('loads what a file takes from others when it is first used, in each form that the bundler gives to it', () => {
  const code = loadLate(
    [
      'const require_rolldown_runtime = require("./rolldown-runtime.js");',
      'const require_plan = require("./plan.js");',
      'let node_fs = require("node:fs");',
      'node_fs = require_rolldown_runtime.toESM(node_fs, 1);',
      'let node_zlib = require("node:zlib");',
      'const made = new require_plan.Plan({ node_fs: 1, name: "node_fs" });',
      'exports.read = () => node_fs.default.read(made.node_fs, made.name);',
      'exports.zip = (data) => (0, node_zlib.gzip)(data);',
      'exports.later = () => require_plan;',
    ].join('\n'),
  )
  const loaded: string[] = []
  const all: Record<string, unknown> = {
    './rolldown-runtime.js': { toESM: (module: unknown) => ({ default: module }) },
    './plan.js': {
      Plan: class {
        readonly node_fs = 7
        readonly name = 'n'
      },
    },
    'node:fs': { read: (...args: unknown[]) => args },
    'node:zlib': { gzip: (data: string) => `zipped ${data}` },
  }
  const load = (name: string): unknown => {
    loaded.push(name)
    return all[name]
  }
  const exported: Record<string, (data?: string) => unknown> = {}
  new Function('exports', 'require', code)(exported, load)
  expect(loaded).toEqual(['./rolldown-runtime.js', './plan.js'])
  expect(exported.read?.()).toEqual([7, 'n'])
  expect(exported.read?.()).toEqual([7, 'n'])
  expect(exported.zip?.('x')).toBe('zipped x')
  expect(exported.later?.()).toBe(all['./plan.js'])
  expect(loaded).toEqual(['./rolldown-runtime.js', './plan.js', 'node:fs', 'node:zlib'])
  expect(() => loadLate('let node_fs = require("node:fs"); function f(node_fs) {}')).toThrow('node_fs')
})

it('keeps what is not ASCII as it is', async () => {
  const project = await mkdtemp(path.join(tmpdir(), 'paceline-bundle-'))
  try {
    const folder = path.join(project, 'src/cli')
    await mkdir(folder, { recursive: true })
    const source = "/* ü */ console.log('µs 🚴', /^\\p{L}🚴$/u.test('é🚴'), `½` + 1)\n"
    await writeFile(path.join(folder, 'main.ts'), source)
    await makeBundle(project)
    const bundle = freshBundle(project) ?? ''
    expect((await readFile(bundle)).every((byte) => byte < 128)).toBe(true)
    const start = path.join(project, 'start.mjs')
    await writeFile(
      start,
      `import { runCompiled } from ${JSON.stringify(path.join(root, 'scripts/compiled.js'))}\nrunCompiled(process.argv[2])\n`,
    )
    expect(run(start, bundle)).toBe('µs 🚴 true ½1\n')
  } finally {
    await rm(project, { recursive: true, force: true })
  }
})

it('of this program runs a plan, peers and threads included', async () => {
  await makeBundle()
  const bundle = freshBundle()
  if (bundle === undefined) throw new Error('no bundle was made')
  const out = await mkdtemp(path.join(tmpdir(), 'paceline-bundle-'))
  try {
    const plan = path.join(out, 'plan.yaml')
    await writeFile(plan, 'target: null://bundle/\nduration: 1s\nworkload: [{ op: put, path: x, size: 4KiB }]\n')
    const words = ['run', plan, '--agents', '2', '--out', out, '--json']
    expect(run(bundle, ...words)).toContain('"status": "completed"')
    const lanes = path.join(path.dirname(bundle), 'lanes')
    for (const name of await readdir(lanes)) if (!name.endsWith('.js')) await rm(path.join(lanes, name))
    expect(runWith({ PACELINE_KEEP_COMPILED: '1' }, 'bin/paceline.js', ...words)).toContain('"status": "completed"')
    // Threads that were started from somewhere else would have left nothing here.
    expect((await readdir(lanes)).filter((name) => name.startsWith('thread.js.'))).toHaveLength(1)
    expect(run('bin/paceline.js', '--version')).toBe(run('src/cli/main.ts', '--version'))
  } finally {
    await rm(out, { recursive: true, force: true })
  }
})
