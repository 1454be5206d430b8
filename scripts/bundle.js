// All sources and dependencies in a few files: a start that reads these instead of nine hundred takes a third of the
// processor time. Made by scripts/setup.js, used by bin/paceline.js as long as no source has changed since.
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { cacheFolder, root } from './runtime.js'

const PREFIX = 'bundle-'

/** The file to start instead of src/cli/main.ts of `project`; undefined where the sources have to do. */
export function freshBundle(project = root) {
  const main = path.join(cacheFolder(project), PREFIX + fingerprint(project), 'main.js')
  return existsSync(main) ? main : undefined
}

/**
 * Makes it where it is missing. Without the bundler, which is there for development only, nothing happens. Several
 * set-ups may be at it at once: each has a draft of its own, the first to be done is kept.
 */
export async function makeBundle(project = root) {
  if (freshBundle(project) !== undefined) return
  const bundler = await import('rolldown').catch(() => undefined)
  if (bundler === undefined) return
  const folder = cacheFolder(project)
  const name = PREFIX + fingerprint(project)
  mkdirSync(folder, { recursive: true })
  const draft = mkdtempSync(path.join(folder, 'draft-'))
  await makeProgram(bundler, project, draft, path.join(folder, name))
  await makeLanes(bundler, project, draft)
  writeFileSync(path.join(draft, 'package.json'), '{ "type": "commonjs" }')
  try {
    renameSync(draft, path.join(folder, name))
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    if (freshBundle(project) === undefined) throw error
  }
  for (const old of readdirSync(folder).filter((other) => other.startsWith(PREFIX) && other !== name)) {
    rmSync(path.join(folder, old), { recursive: true, force: true })
  }
}

/** Into `draft`; it will be at `home`. What is not needed at first is in files of its own, and loaded late. */
async function makeProgram(bundler, project, draft, home) {
  const { loadLate } = await import('./late.js')
  await bundler.build({
    input: path.join(project, 'src/cli/main.ts'),
    platform: 'node',
    preserveEntrySignatures: 'allow-extension',
    plugins: [ownPlaces(home)],
    output: { dir: draft, format: 'cjs', comments: false, codeSplitting: { groups } },
  })
  changeAll(draft, (code) => inAscii(loadLate(code)))
}

/** What is not needed before there is a plan. */
const groups = [
  { name: 'yaml', test: /node_modules.yaml/ },
  { name: 'zod', test: /node_modules.zod/ },
  { name: 'plan', test: /src.cli.plan/ },
  { name: 'results', test: /src.cli.results/ },
  { name: 'report', test: /src.cli.report/ },
].map((group) => ({ ...group, includeDependenciesRecursively: false }))

/** The threads of the load engine, in one piece: what they do most often is not reached by way of other files. */
async function makeLanes(bundler, project, draft) {
  const input = path.join(project, 'src/io/lanes/thread.ts')
  if (!existsSync(input)) return
  const dir = path.join(draft, 'lanes')
  await bundler.build({
    input,
    platform: 'node',
    plugins: [ownPlaces()],
    output: { dir, format: 'cjs', comments: false },
  })
  changeAll(dir, inAscii)
  const compiled = JSON.stringify(path.join(root, 'scripts/compiled.js'))
  writeFileSync(
    path.join(draft, LANE_STARTER),
    `require(${compiled}).runCompiled(require('node:path').join(__dirname, 'lanes/thread.js'))\n`,
  )
}

/** Where src/io/lanes/pool.ts looks for the entry of its threads, once it is JavaScript: beside itself. */
const LANE_STARTER = 'thread.js'
const STARTS_LANES = /src.io.lanes.pool\.ts$/

/** Files that a source finds beside itself stay where they are; lanes are started from the bundle at `home`. */
const ownPlaces = (home) => ({
  name: 'own-places',
  transform: (code, id) => {
    const place = home !== undefined && STARTS_LANES.test(id) ? path.join(home, 'pool.js') : id
    return code.includes('import.meta.url')
      ? code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(place).href))
      : undefined
  },
})

function changeAll(folder, change) {
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name)
    writeFileSync(file, change(readFileSync(file, 'utf8')))
  }
}

/** For a text of one byte a character, which is read at once. Without comments, all else stands in texts and patterns. */
const inAscii = (code) =>
  code.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** What decides how a bundle is made. */
const makers = ['bundle.js', 'late.js'].map((name) => path.join(root, 'scripts', name))

/** Of all sources, of what makes the bundle, and of what is installed. */
function fingerprint(project) {
  const installed = path.join(project, 'node_modules', '.package-lock.json')
  const states = [installed, ...makers, ...sourcesIn(path.join(project, 'src')).sort()].map((file) => {
    const { mtimeMs, size } = statSync(file, { throwIfNoEntry: false }) ?? {}
    return `${file} ${mtimeMs} ${size}\n`
  })
  return createHash('sha256').update(states.join('')).digest('hex').slice(0, 32)
}

/** Each start asks for them: `readdirSync` with `recursive` takes ten times as long. */
function sourcesIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(folder, entry.name)
    if (entry.isDirectory()) return sourcesIn(name)
    return name.endsWith('.ts') ? [name] : []
  })
}
