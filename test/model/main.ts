/**
 * npm run model: spin checks agreement.pml in several settings, and with each lie told to it. Exit code 1 when the
 * model fails, or a lie is not found. Without spin or a C compiler it says so and passes. `--long` adds larger settings.
 */

import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { lies, longSettings, type Setting, settings } from './settings.ts'

const model = path.join(import.meta.dirname ?? 'test/model', 'agreement.pml')

interface Outcome {
  readonly name: string
  readonly ok: boolean
  readonly text: string
}

interface Job {
  readonly name: string
  readonly setting: Setting
  /** A define that makes the model lie: then an assertion must fail. */
  readonly lie: string | null
}

function present(command: string): boolean {
  try {
    execFileSync(command, [command === 'spin' ? '-V' : '--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function run(command: string, args: readonly string[], cwd: string): Promise<{ code: number | null; text: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8')
      stream.on('data', (chunk: string) => {
        text += chunk
      })
    }
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, text }))
  })
}

async function mustRun(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, text } = await run(command, args, cwd)
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed (exit ${code}):\n${text.slice(0, 2000)}`)
  return text
}

async function check({ name, setting, lie }: Job): Promise<Outcome> {
  const folder = mkdtempSync(path.join(tmpdir(), 'paceline-model-'))
  const started = performance.now()
  try {
    const defines = Object.entries(setting.defines).map(([key, value]) => `-D${key}=${value}`)
    await mustRun('spin', ['-a', ...defines, ...(lie === null ? [] : [`-D${lie}`]), model], folder)
    const mode = setting.bits === undefined ? [] : ['-DBITSTATE']
    // A lie is found within seconds: there the compiler would take longer than the search.
    const speed = lie === null ? '-O2' : '-O0'
    await mustRun('cc', [speed, '-w', '-DSAFETY', '-DNOCLAIM', ...mode, '-o', 'pan', 'pan.c'], folder)
    // -E: a peer that can do no more is no error; -m: deeper than any path; -w: size of the hash table, 2^w.
    const text = await mustRun('./pan', ['-E', '-n', '-m10000', `-w${setting.bits ?? 25}`], folder)
    return judge(name, lie, text, (performance.now() - started) / 1000)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function judge(name: string, lie: string | null, text: string, seconds: number): Outcome {
  const errors = /errors: (\d+)/.exec(text)?.[1]
  if (errors === undefined) throw new Error(`spin said nothing about ${name}:\n${text.slice(0, 2000)}`)
  if (text.includes('max search depth too small')) throw new Error(`${name}: paths are deeper than -m allows`)
  const states = Number(/(\d+(?:\.\d+)?(?:e\+\d+)?) states, stored/.exec(text)?.[1] ?? 0)
  const what = /assertion violated (.*) \(at depth (\d+)\)/.exec(text)
  // Bits of the table for each state seen: spin calls above 100 as good as all states; below 10 it is a part of them.
  const factor = /hash factor: (\d+(?:\.\d+)?)/.exec(text)?.[1]
  const share = factor === undefined ? '' : `, hash factor ${Number(factor).toFixed(1)}`
  const tail = `${states} states${share}, ${seconds.toFixed(1)} s`
  const found = what === null ? '' : `, ${what[1]} after ${what[2]} steps`
  if (lie !== null)
    return { name, ok: what !== null, text: `${what === null ? 'NOT FOUND' : 'found'}: ${tail}${found}` }
  return { name, ok: errors === '0', text: `${errors === '0' ? 'holds' : 'FAILS'}: ${tail}${found}` }
}

/** Two at a time: there are two cores, and a search takes up to 2 GB. */
async function checkAll(jobs: readonly Job[]): Promise<boolean> {
  const waiting = [...jobs]
  let ok = true
  const lane = async () => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      const outcome = await check(job)
      ok = ok && outcome.ok
      process.stdout.write(`${outcome.name.padEnd(60)} ${outcome.text}\n`)
    }
  }
  await Promise.all([lane(), lane()])
  return ok
}

async function main(): Promise<void> {
  const started = performance.now()
  const { values } = parseArgs({
    options: { long: { type: 'boolean', default: false }, only: { type: 'string', default: '' } },
  })
  const missing = ['spin', 'cc'].filter((command) => !present(command))
  if (missing.length > 0) {
    process.stdout.write(`Skipped: ${missing.join(' and ')} not found (Debian: apt-get install spin gcc libc6-dev)\n`)
    return
  }
  const jobs: Job[] = [...settings, ...(values.long ? longSettings : [])].map((setting) => {
    return { name: setting.name, setting, lie: null }
  })
  for (const { name, define, setting } of lies) jobs.push({ name: `lie: ${name}`, setting, lie: define })
  const ok = await checkAll(jobs.filter(({ name }) => name.includes(values.only)))
  const verdict = ok ? 'The model holds, and every lie is found' : 'The model does not do what it should'
  process.stdout.write(`${verdict} (${((performance.now() - started) / 1000).toFixed(0)} s)\n`)
  process.exitCode = ok ? 0 : 1
}

await main()
