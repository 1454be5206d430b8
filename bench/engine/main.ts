/**
 * Paceline's engine and fio's psync engine, side by side: same threads, files and block sizes, taking turns.
 *
 *   npm run bench:engine -- [--repeat 3] [--seconds 1.5] [--warmup 1] [--threads 1,4,16] [--runtimes node,deno]
 *                           [--only TEXT] [--folder DIR] [--small-folder DIR] [--json FILE]
 *
 * Small files are made in memory (/dev/shm) unless told otherwise: ext4 takes tens of times longer to create files for
 * a minute after others were deleted, so that turns on it would compare the order of turns. Prints for each case the
 * medians, from the pairs of neighbouring turns the median ratio with its range, and the ratio of the CPU times, which other
 * work on the machine changes less.
 * Needs fio (Debian: fio); without it, only Paceline's figures are shown.
 */

import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { parseArgs, promisify } from 'node:util'
import { median } from '../statistics.ts'
import { allCases, type Case, MIB, READ_FILES } from './cases.ts'
import { type Figures, figuresSchema, rateOf, type Timing } from './figures.ts'
import { runFio } from './fio.ts'

const { values } = parseArgs({
  options: {
    repeat: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '1.5' },
    warmup: { type: 'string', default: '1' },
    threads: { type: 'string', default: '1,4,16' },
    runtimes: { type: 'string', default: 'node,deno' },
    only: { type: 'string', default: '' },
    folder: { type: 'string', default: os.tmpdir() },
    'small-folder': { type: 'string' },
    json: { type: 'string' },
  },
})

const root = path.join(import.meta.dirname, '../..')
const timing: Timing = { seconds: Number(values.seconds), warmupSeconds: Number(values.warmup) }

/** How each runtime is started; arguments of this process go to Node, so that `--cpu-prof` works. */
const commands: Readonly<Record<string, readonly string[]>> = {
  node: [process.execPath, ...process.execArgv],
  deno: [path.join(root, 'node_modules/.bin/deno'), 'run', '-A'],
}

interface Row {
  readonly case: Case
  readonly system: string
  readonly figures: readonly Figures[]
}

async function main(): Promise<void> {
  const folder = `${mkdtempSync(path.join(values.folder, 'paceline-bench-'))}/`
  const memory = existsSync('/dev/shm') ? '/dev/shm' : values.folder
  const smallFolder = `${mkdtempSync(path.join(values['small-folder'] ?? memory, 'paceline-bench-'))}/`
  try {
    const systems = [...(hasFio() ? ['fio'] : []), ...values.runtimes.split(',')]
    if (!systems.includes('fio')) console.log('fio: not installed (Debian: fio), left out')
    const cases = allCases(values.threads.split(',').map(Number)).filter(({ name }) => name.includes(values.only))
    if (cases.some(({ kind }) => kind === 'read')) makeReadFiles(folder)
    const rows: Row[] = []
    console.log(heading())
    for (const one of cases) {
      const own = await compare(one, systems, one.kind === 'small' ? smallFolder : folder)
      rows.push(...own)
      for (const row of own)
        console.log(
          line(
            row,
            own.find(({ system }) => system === 'fio'),
          ),
        )
    }
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`)
  } finally {
    for (const made of [folder, smallFolder]) rmSync(made, { recursive: true, force: true })
  }
}

function hasFio(): boolean {
  try {
    execFileSync('fio', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Laid out by fio's own rules for neither side: plain files with random bytes, all in the page cache and on the disk. */
function makeReadFiles(folder: string): void {
  mkdirSync(`${folder}read`)
  const block = Buffer.alloc(READ_FILES.bytes)
  for (let i = 0; i < READ_FILES.count; i++) {
    for (let at = 0; at < block.length; at += 65_536) crypto.getRandomValues(block.subarray(at, at + 65_536))
    writeFileSync(`${folder}read/prepared-${String(i).padStart(8, '0')}.dat`, block, { flush: true })
  }
}

/** Systems take turns; every second round goes the other way round, so that none always follows the same one. */
async function compare(one: Case, systems: readonly string[], folder: string): Promise<Row[]> {
  const figures = new Map<string, Figures[]>(systems.map((system) => [system, []]))
  for (let round = 0; round < Number(values.repeat); round++) {
    for (const system of round % 2 === 0 ? systems : [...systems].reverse()) {
      figures.get(system)?.push(await measure(one, system, folder))
    }
  }
  return systems.map((system) => ({ case: one, system, figures: figures.get(system) ?? [] }))
}

/** Threads compile what they run each for itself: the more there are, the longer that takes. */
function timingFor({ threads }: Case): Timing {
  return { ...timing, warmupSeconds: timing.warmupSeconds * Math.max(1, threads / 8) }
}

async function measure(one: Case, system: string, folder: string): Promise<Figures> {
  const place = one.kind === 'read' ? `${folder}read/` : `${folder}made/`
  mkdirSync(place, { recursive: true })
  try {
    return system === 'fio' ? await runFio(one, place, timingFor(one)) : await runPaceline(one, system, place)
  } finally {
    if (one.kind !== 'read') rmSync(place, { recursive: true })
  }
}

async function runPaceline(one: Case, runtime: string, place: string): Promise<Figures> {
  const [program = runtime, ...args] = commands[runtime] ?? []
  const script = path.join(import.meta.dirname, 'case.ts')
  const all = [...args, script, JSON.stringify(one), JSON.stringify(timingFor(one)), place]
  const { stdout } = await promisify(execFile)(program, all, { maxBuffer: 16 * MIB, cwd: root })
  return figuresSchema.parse(JSON.parse(stdout))
}

function heading(): string {
  return `${'case'.padEnd(34)} threads  system        rate   CPU an op or MiB   of fio (range)  by CPU`
}

function line({ case: one, system, figures }: Row, fio: Row | undefined): string {
  const rates = figures.map((each) => rateOf(each, one.unit))
  const cpu = cpuOf(figures, one.unit)
  const cells = [
    one.name.padEnd(34),
    String(one.threads).padStart(7),
    ` ${system.padEnd(6)}`,
    readable(median(rates), one.unit).padStart(14),
    `${cpu.toFixed(2)} us`.padStart(14),
  ]
  if (fio !== undefined && fio.system !== system) {
    const ratios = rates.map((rate, i) => {
      const theirs = fio.figures[i]
      return theirs === undefined ? Number.NaN : rate / rateOf(theirs, one.unit)
    })
    const range = `${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)}`
    const byCpu = cpuOf(fio.figures, one.unit) / cpu
    cells.push(`       ${median(ratios).toFixed(2)} (${range})  ${byCpu.toFixed(2)}`)
  }
  return cells.join(' ')
}

/** CPU time of an operation, or of a MiB where these are larger on one side than on the other, us. */
function cpuOf(figures: readonly Figures[], unit: 'ops' | 'bytes'): number {
  return median(
    figures.map(({ cpuUsPerOp, ops, bytes }) => (unit === 'ops' ? cpuUsPerOp : (cpuUsPerOp * ops * MIB) / bytes)),
  )
}

function readable(rate: number, unit: 'ops' | 'bytes'): string {
  return unit === 'ops' ? `${(rate / 1000).toFixed(1)} k ops/s` : `${(rate / MIB).toFixed(0)} MiB/s`
}

await main()
