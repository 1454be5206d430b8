/**
 * The same calls by the C library and by the runtime's own functions: prints one line of JSON, what each of them answered by
 * the name of the try. Argument: an empty folder.
 */

import { constants, linkSync, mkdirSync, openSync, readdirSync, symlinkSync } from 'node:fs'
import process from 'node:process'
import { monotonic } from '../../src/io/clock.ts'
import { codeOf } from '../../src/io/errors.ts'
import { bestCalls } from '../../src/io/stores/best-calls.ts'
import { type FileCalls, type HeldFolder, runtimeCalls } from '../../src/io/stores/calls.ts'

const [place = ''] = process.argv.slice(2)
const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_DIRECTORY } = constants
const NEW = O_RDWR | O_CREAT | O_EXCL
const FAR = 5 * 2 ** 30
const ODD_NAMES = ['naïve', '日本', '\u{1f600}', 'a b', '..;', 'x'.repeat(255), '\ud800']

function tries(calls: FileCalls, name: string): Record<string, unknown> {
  const path = `${place}/${name}`
  mkdirSync(`${path}/sub`, { recursive: true })
  symlinkSync('/etc/passwd', `${path}/link`)
  const folder = hold(path)
  const seen: Record<string, unknown> = {}
  const ask = (what: string, answer: () => unknown): void => {
    try {
      seen[what] = answer()
    } catch (error) {
      seen[what] = codeOf(error)
    }
  }
  const data = Buffer.from('some content')
  const into = Buffer.alloc(20)
  const read = (fd: number, position: number | null): string =>
    into.toString('utf8', 0, calls.read(fd, into, into.length, position))

  const fd = calls.open(folder, 'file', NEW)
  ask('write', () => calls.write(fd, data, 0))
  ask('write a part, far away', () => calls.write(fd, data.subarray(5), FAR))
  ask('read', () => read(fd, 0))
  ask('read far away', () => read(fd, FAR + 3))
  ask('read at the end', () => read(fd, FAR + 7))
  ask('look at', () => pick(calls.lookAt(fd)))
  ask('size', () => calls.sizeOf(folder, 'file'))
  linkSync(`${path}/file`, `${path}/other name`)
  calls.truncate(fd, 4)
  ask('look at what was cut and has two names', () => pick(calls.lookAt(fd)))
  ask('read on', () => [read(fd, null), read(fd, null)])
  calls.close(fd)
  ask('close what is closed', () => calls.close(fd))
  ask('write what is closed', () => calls.write(fd, data, 0))
  ask('size of a link', () => calls.sizeOf(folder, 'link'))
  ask('open a link', () => calls.open(folder, 'link', O_RDONLY | O_NOFOLLOW))
  ask('open what is there', () => calls.open(folder, 'file', NEW))
  ask('open what is not there', () => calls.open(folder, 'nothing', O_RDONLY))
  ask('open a folder to write', () => calls.open(folder, 'sub', O_WRONLY))
  ask('read a folder', () => read(calls.open(folder, 'sub', O_RDONLY), 0))
  ask('size of nothing', () => calls.sizeOf(folder, 'nothing'))
  ask('entries', () => [...calls.entries(folder)].sort((a, b) => (a.name < b.name ? -1 : 1)))
  ask('entries of nothing', () => [...calls.entries(hold(`${path}/sub`))])
  calls.remove(folder, 'other name')
  ask('remove nothing', () => calls.remove(folder, 'nothing'))
  calls.remove(folder, 'link')
  ask('a full device', () => calls.write(calls.open(hold('/dev'), 'full', O_WRONLY), data, 0))
  ask('a name that is too long', () => calls.open(folder, 'x'.repeat(256), NEW))
  for (const odd of ODD_NAMES) calls.close(calls.open(folder, odd, NEW))
  ask('names', () => readdirSync(path).sort())
  return seen
}

function pick({ size, nlink }: { readonly size: number; readonly nlink: number }): number[] {
  return [size, nlink]
}

function hold(path: string): HeldFolder {
  const fd = openSync(path, O_RDONLY | O_DIRECTORY)
  return { fd, prefix: `/proc/self/fd/${fd}/` }
}

const library = bestCalls(true)
const held = hold(place)
const paths: Record<string, string> = {}
for (const name of ['/etc/passwd', 'a/b', '../x', 'a\0b']) {
  try {
    library.close(library.open(held, name, O_RDONLY))
    paths[name] = 'opened'
  } catch (error) {
    paths[name] = codeOf(error)
  }
}
const clockMs = [0, 1, 2].map(() => Math.abs(monotonic.now() - performance.now()))
const seen = {
  clock: { isOwn: monotonic !== performance, awayMs: Math.min(...clockMs) },
  isLibrary: library !== runtimeCalls,
  library: tries(library, 'library'),
  runtime: tries(runtimeCalls, 'runtime'),
  paths,
}
process.stdout.write(`${JSON.stringify(seen)}\n`)
