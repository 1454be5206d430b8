/** The bundle that makes a start quick: used as long as it is of the sources that are there, and as good as they are. */

import { spawnSync } from 'node:child_process'
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'

interface Bundling {
  freshBundle(project?: string): string | undefined
  makeBundle(project?: string): Promise<void>
}

const root = path.resolve(import.meta.dirname ?? 'test/e2e', '../..')
const { freshBundle, makeBundle }: Bundling = await import(path.join(root, 'scripts/bundle.js'))

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

it('of this program runs a plan, peers and threads included', async () => {
  await makeBundle()
  const bundle = freshBundle()
  if (bundle === undefined) throw new Error('no bundle was made')
  const out = await mkdtemp(path.join(tmpdir(), 'paceline-bundle-'))
  try {
    const plan = path.join(out, 'plan.yaml')
    await writeFile(plan, 'target: null://bundle/\nduration: 1s\nworkload: [{ op: put, path: x, size: 4KiB }]\n')
    expect(run(bundle, 'run', plan, '--agents', '2', '--out', out, '--json')).toContain('"status": "completed"')
    expect(run('bin/paceline.js', '--version')).toBe(run('src/cli/main.ts', '--version'))
  } finally {
    await rm(out, { recursive: true, force: true })
  }
})
