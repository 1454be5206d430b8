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
  const main = path.join(project, 'src/cli/main.ts')
  await bundler.build({
    input: main,
    platform: 'node',
    preserveEntrySignatures: 'allow-extension',
    plugins: [ownPlaces],
    output: { dir: draft, format: 'cjs', comments: false, codeSplitting: { groups } },
  })
  await makeQuick(draft)
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

/** What is not needed before there is a plan is in files of its own. */
const groups = [
  { name: 'yaml', test: /node_modules.yaml/ },
  { name: 'zod', test: /node_modules.zod/ },
  { name: 'plan', test: /src.cli.plan/ },
  { name: 'results', test: /src.cli.results/ },
  { name: 'report', test: /src.cli.report/ },
  { name: 'io', test: /src.io.(?!stores.s3)/ },
].map((group) => ({ ...group, includeDependenciesRecursively: false }))

/** As Node reads it quickly: what is not used is not loaded, and all is of one byte a character. */
async function makeQuick(folder) {
  const { loadLate } = await import('./late.js')
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name)
    writeFileSync(file, loadLate(readFileSync(file, 'utf8')).replace(/[\u0080-\uffff]/g, escaped))
  }
}

/** Without comments, what is not ASCII stands in texts and patterns. */
const escaped = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Files that a source finds beside itself, such as those of its threads, stay where they are. */
const ownPlaces = {
  name: 'own-places',
  transform: (code, id) =>
    code.includes('import.meta.url')
      ? code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href))
      : undefined,
}

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
