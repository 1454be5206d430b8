/** npm run sim:mutations: the simulator against copies of the core that lie. Each lie must be found. */

import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { Mutation } from './mutation.ts'
import { mutations } from './mutations.ts'

export interface Verdict {
  /** The seed, or the story, that shows it; null when none did. */
  readonly by: string | null
  /** What the simulator said about it, first lines. */
  readonly text: string
  readonly ms: number
}

const root = path.resolve(import.meta.dirname ?? 'test/sim', '../..')

/**
 * Runs the simulator against a copy of the core with `mutation` applied (null: as it is), until a history fails; or the
 * story that shows it.
 */
export async function hunt(mutation: Mutation | null, runs: number, workers: number): Promise<Verdict> {
  const folder = mkdtempSync(path.join(tmpdir(), 'paceline-mutation-'))
  try {
    for (const part of ['src/barrier', 'src/mesh', 'test/sim', 'test/barrier']) {
      cpSync(path.join(root, part), path.join(folder, part), { recursive: true })
    }
    symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'))
    writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }')
    if (mutation !== null) for (const { file, text } of mutated(mutation)) writeFileSync(path.join(folder, file), text)
    const started = performance.now()
    if (mutation?.story !== undefined) {
      const { code, text } = await playStory(folder, mutation.story)
      return { by: code === 0 ? null : mutation.story, text, ms: performance.now() - started }
    }
    const { code, text } = await simulate(folder, mutation?.from ?? 1, runs, workers)
    const ms = performance.now() - started
    const seed = /FAILED \w+ seed=(\d+)/.exec(text)?.[1]
    if ((code === 0) !== (seed === undefined)) throw new Error(`The simulator itself failed (exit ${code}):\n${text}`)
    const by = seed === undefined ? null : `seed ${seed}`
    return { by, text: text.slice(Math.max(0, text.indexOf('FAILED'))), ms }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The files that `mutation` changes, as it leaves them. Throws where it does not fit the core any more. */
export function mutated(mutation: Mutation): { file: string; text: string }[] {
  const texts = new Map<string, string>()
  for (const { file, find, replace } of mutation.edits) {
    const name = path.join('src/barrier', file)
    const parts = (texts.get(name) ?? readFileSync(path.join(root, name), 'utf8')).split(find)
    if (parts.length !== 2) {
      throw new Error(`Cannot apply "${mutation.name}": ${file} has the text ${parts.length - 1} times:\n${find}`)
    }
    texts.set(name, parts.join(replace))
  }
  return [...texts].map(([file, text]) => ({ file, text }))
}

interface Played {
  readonly code: number | null
  readonly text: string
}

function playStory(folder: string, story: string): Promise<Played> {
  const vitest = path.join(root, 'node_modules/vitest/vitest.mjs')
  return run([vitest, 'run', 'test/barrier/scenarios.test.ts', '-t', story], folder)
}

function simulate(folder: string, from: number, runs: number, workers: number): Promise<Played> {
  const args = [
    path.join(folder, 'test/sim/main.ts'),
    '--from',
    `${from}`,
    '--runs',
    `${runs}`,
    '--workers',
    `${workers}`,
  ]
  return run(args, folder)
}

function run(args: readonly string[], folder: string): Promise<Played> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
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

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '20000' },
      workers: { type: 'string', default: '2' },
      only: { type: 'string', default: '' },
    },
  })
  const started = performance.now()
  const chosen = mutations.filter(({ name }) => name.includes(values.only))
  let missed = 0
  for (const mutation of chosen) {
    const { by, text, ms } = await hunt(mutation, Number(values.runs), Number(values.workers))
    if (by === null) missed += 1
    const what = (text.split('\n')[1] ?? '').trim().slice(0, 140)
    const found = (by ?? 'NOT FOUND').padEnd(11)
    process.stdout.write(`${found}  ${(ms / 1000).toFixed(1).padStart(5)} s  ${mutation.name}\n`)
    if (by !== null && mutation.story === undefined) process.stdout.write(`                        ${what}\n`)
  }
  process.stdout.write(
    `${chosen.length - missed} of ${chosen.length} mutations found in ${((performance.now() - started) / 1000).toFixed(0)} s\n`,
  )
  process.exitCode = missed === 0 ? 0 : 1
}

if (process.argv[1] === import.meta.filename) await main()
