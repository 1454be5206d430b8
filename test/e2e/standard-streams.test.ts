/** Output that goes nowhere: a run goes on to its end, and what was asked for and is lost is no success. */

import { spawn } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Cluster, hasDeno, launcher } from './cluster.ts'

const main = path.resolve(path.dirname(launcher), '../src/cli/main.ts')
const deno = path.resolve(path.dirname(launcher), '../node_modules/deno/deno')
const RUNTIMES = [
  ['node', [process.execPath, main], true],
  ['deno', [deno, 'run', '-A', main], hasDeno],
] as const

let cluster: Cluster
beforeAll(async () => {
  cluster = await Cluster.create()
  const plan = "target: null:///x/\nconcurrency: 1\nduration: 1s\nworkload: [{ op: put, path: 'a/', size: 4KiB }]\n"
  await writeFile(path.join(cluster.folder, 'plan.yaml'), plan)
})
afterAll(async () => {
  await cluster[Symbol.asyncDispose]()
})

/** The exit code of `command` and what of its output got through `redirection`. */
async function throughShell(command: readonly string[], redirection: string): Promise<{ code: string; text: string }> {
  const script = `set -o pipefail; "$@" ${redirection}`
  const child = spawn('bash', ['-c', script, 'bash', ...command], {
    cwd: cluster.folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (more) => (text += more))
  const code = await new Promise((resolve) => child.on('close', resolve))
  return { code: String(code), text }
}

for (const [runtime, command, there] of RUNTIMES) {
  const run = (out: string) => [...command, 'run', 'plan.yaml', '--agents', '1', '--out', out]

  it.runIf(there)(`${runtime}: a reader that has seen enough does not end a run`, async () => {
    const { code, text } = await throughShell(run(`head-${runtime}`), '2>&1 | head -n 1')
    expect(text).toBe('starting 1 local peer: agent-1\n')
    expect(code).toBe('0')
    const [dir = ''] = await readdir(path.join(cluster.folder, `head-${runtime}`))
    const summary = await readFile(path.join(cluster.folder, `head-${runtime}`, dir, 'summary.json'), 'utf8')
    expect(JSON.parse(summary)).toMatchObject({ status: 'completed' })
  })

  it.runIf(there)(`${runtime}: output that was lost is no success`, async () => {
    const { code, text } = await throughShell([...command, 'validate', 'plan.yaml'], '>/dev/full')
    expect(text).toMatch(/^paceline: .*no space left on device/i)
    expect(code).toBe('1')
  })
}

it.each(['json', 'pretty'])('a %s log that cannot be written is told once, and ends no peer', async (form) => {
  const run = ['--run-id', `${cluster.runId}-${form}`, '--no-mdns']
  const node = [process.execPath, main, 'node', ...run, '--once', '--log', form, '--out', `full-${form}`]
  const peer = throughShell([...node, '--allow', 'null://'], '>/dev/full')
  const submit = await throughShell([process.execPath, main, 'submit', 'plan.yaml', ...run, '--wait', '30'], '')
  expect(submit).toMatchObject({ code: '0', text: expect.stringMatching(/plan 1 completed\n$/) })
  const { code, text } = await peer
  expect(text).toMatch(/^paceline: the log cannot be written \(ENOSPC.*\): going on without it\n$/)
  expect(code).toBe('0')
})

it('figures that no file has room for are shown all the same', async () => {
  const run = [process.execPath, main, 'run', 'plan.yaml', '--agents', '1', '--out', 'tiny']
  // A kilobyte of a file: the plan, and hardly anything else.
  const { code, text } = await throughShell(['bash', '-c', 'ulimit -f 1; exec "$@"', 'bash', ...run], '')
  expect(text).toMatch(/^results could not be (written|completed): Cannot write results to .*\(EFBIG/m)
  expect(text).toMatch(/^2 execute +\| +complete/m)
  expect(code).toBe('1')
})

it('a report that cannot be written is no success, the figures are shown all the same', async () => {
  const command = [process.execPath, main, 'run', 'plan.yaml', '--agents', '1', '--out', 'limited']
  // Kilobytes of a file: enough for all but the report.
  const { code, text } = await throughShell(['bash', '-c', 'ulimit -f 40; exec "$@"', 'bash', ...command], '')
  expect(text).toMatch(/^results could not be completed: Cannot write results to .*report\.html \(EFBIG/m)
  expect(text).toMatch(/^2 execute +\| +complete/m)
  expect(code).toBe('1')
})
