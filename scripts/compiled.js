// Runs the bundle with what V8 has compiled of it before. Node's own cache holds what is compiled while a file is read,
// not the functions that are compiled when they are first called: half the processor time of a start and of meeting
// the first peers.
import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import module from 'node:module'
import path from 'node:path'
import vm from 'node:vm'
import { isMainThread, threadId } from 'node:worker_threads'

const THREAD_KEEPS_MS = 100

/** Set for the processes whose compiled functions are to be kept; see scripts/setup.js. */
export const KEEP_VARIABLE = 'PACELINE_KEEP_COMPILED'

/** Runs `main` and the files beside it that it requires, which are CommonJS. */
export function runCompiled(main) {
  const folder = path.dirname(main)
  const requireBuiltin = module.createRequire(main)
  const loaded = new Map()
  const scripts = new Map()
  const load = (name) => {
    if (!name.startsWith('./')) return requireBuiltin(name)
    const file = path.join(folder, name)
    const known = loaded.get(file)
    if (known !== undefined) return known.exports
    const own = { exports: {} }
    loaded.set(file, own)
    const script = compile(file)
    scripts.set(file, script)
    script.runInThisContext()(own.exports, load, own)
    return own.exports
  }
  if (process.env[KEEP_VARIABLE] !== undefined) {
    const keepAll = () => scripts.forEach(keep)
    // A thread is ended from outside, and without this event.
    if (isMainThread) process.on('exit', keepAll)
    else setInterval(keepAll, THREAD_KEEPS_MS).unref()
  }
  load(`./${path.basename(main)}`)
}

function compile(file) {
  return new vm.Script(wrapped(file), {
    filename: file,
    cachedData: readIfThere(cacheOf(file)),
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  })
}

/** As a function, on the line of its first, so that line numbers stay true. The bundle is ASCII: nothing is to be decoded. */
function wrapped(file) {
  const [before, after] = ['(function (exports, require, module) { ', '\n})']
  const fd = openSync(file)
  try {
    const { size } = fstatSync(fd)
    const text = Buffer.allocUnsafeSlow(before.length + size + after.length)
    text.write(before, 'latin1')
    readSync(fd, text, before.length, size, 0)
    text.write(after, before.length + size, 'latin1')
    return text.latin1Slice()
  } finally {
    closeSync(fd)
  }
}

/** True where some process has left something. */
export const isKept = (main) =>
  readdirSync(path.dirname(main)).some((name) => name.startsWith(`${path.basename(main)}.`))

/** Of this V8; should it reject them all the same (other flags), it compiles as ever. */
const cacheOf = (file) => `${file}.${process.versions.v8}-${process.arch}`

function readIfThere(file) {
  try {
    return readFileSync(file)
  } catch {
    return undefined
  }
}

/** The process that has used most of it leaves most. */
function keep(script, file) {
  const data = script.createCachedData()
  const cache = cacheOf(file)
  if (data.length <= (statSync(cache, { throwIfNoEntry: false })?.size ?? 0)) return
  const draft = `${cache}.${process.pid}.${threadId}`
  writeFileSync(draft, data)
  renameSync(draft, cache)
}
