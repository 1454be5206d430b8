/** Every plan in examples/ explains itself and is a plan; the quick ones do what they say. */

import { readdirSync, readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parsePlan } from '../../src/cli/plan/mod.ts'
import { type RunSummary, readSummary } from '../../src/cli/results/mod.ts'
import { Cluster } from './cluster.ts'

const root = path.resolve(import.meta.dirname ?? 'test/e2e', '../..')
const folder = path.join(root, 'examples')
const examples = readdirSync(folder).filter((name) => name.endsWith('.yaml'))

describe.each(examples)('examples/%s', (name) => {
  const text = readFileSync(path.join(folder, name), 'utf8')

  it('begins with what it is for, what it needs, how it is run, and what to look for', () => {
    const heads = text.split('\n').map((line) => /^# ([A-Z][a-z ]+): \S/.exec(line)?.[1])
    expect(heads.slice(0, 4)).toEqual(['Purpose', 'Prerequisites', 'Command', 'Look for'])
    expect(text).toContain(name === 'quickstart.yaml' ? 'npm start' : `examples/${name}`)
  })

  it('is a plan in which everything is done', () => {
    expect(parsePlan(text, name).notices).toEqual([])
  })
})

describe('run', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await Cluster.create()
  })
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]()
  })

  /** The example on peers of its own, in a folder of this test. */
  async function run(name: string, flags: readonly string[]): Promise<{ dir: string; summary: RunSummary }> {
    const out = path.join(cluster.folder, name)
    const plan = path.join(folder, name)
    const program = cluster.command(['run', plan, '--out', out, ...flags])
    const { code } = await program.ended
    expect({ code, stderr: code === 0 ? '' : program.stderr }).toEqual({ code: 0, stderr: '' })
    const [result = ''] = await readdir(out)
    const dir = path.join(out, result)
    return { dir, summary: await readSummary(dir) }
  }

  const opsOf = ({ stages }: RunSummary, stage: string) =>
    stages.find(({ name }) => name === stage)?.ops.reduce((sum, { count }) => sum + count, 0) ?? 0

  it('policies.yaml: every policy, each stage complete', async () => {
    const { summary } = await run('policies.yaml', ['--agents', '2'])
    expect(summary.stages.map(({ name, policy }) => [name, policy])).toEqual([
      ['preflight', 'all_or_nothing'],
      ['prepare', 'all_or_nothing'],
      ['read', 'majority'],
      ['cleanup', 'best_effort'],
    ])
    expect(summary.status).toBe('completed')
    expect(opsOf(summary, 'cleanup')).toBe(300)
  })

  it('custom-stage.yaml: a command with the stated environment; one that fails and may', async () => {
    const { dir, summary } = await run('custom-stage.yaml', ['--agents', '2', '--allow-exec'])
    const note = await readFile(path.join(dir, 'agents/agent-2/03_note_output.txt'), 'utf8')
    expect(note).toMatch(/^hello agent-2, stage 3 of local-\w+\nwith agent-1,agent-2\n$/)
    const perhaps = summary.stages.find(({ name }) => name === 'perhaps')
    expect(perhaps?.outcome).toBe('degraded')
    expect(perhaps?.agents.map(({ status, exitCode }) => [status, exitCode])).toEqual([
      ['failed', 3],
      ['failed', 3],
    ])
  })

  it('hybrid.yaml: a number of operations ends one stage, time the other', async () => {
    const { summary } = await run('hybrid.yaml', ['--agents', '2'])
    expect(opsOf(summary, 'few')).toBe(600)
    expect(opsOf(summary, 'slow')).toBeLessThan(2000)
    expect(summary.stages.find(({ name }) => name === 'slow')?.seconds).toBeGreaterThan(1.5)
  })

  it('multi-endpoint.yaml: agents by name, objects below both endpoints, all of them deleted', async () => {
    const { summary } = await run('multi-endpoint.yaml', [])
    expect(summary.agents).toEqual(['fast', 'wide'])
    expect(summary.stages.map(({ name }) => name)).toEqual(['validation', 'prepare', 'execute', 'cleanup'])
    expect(opsOf(summary, 'prepare')).toBe(200)
    const put = summary.stages.find(({ name }) => name === 'execute')?.ops.find(({ op }) => op === 'put')
    expect(opsOf(summary, 'cleanup')).toBe(200 + (put?.count ?? 0))
  })

  it('tree.yaml: 160 files in 16 folders', async () => {
    const { summary } = await run('tree.yaml', ['--agents', '2'])
    expect(opsOf(summary, 'prepare')).toBe(160)
    expect(opsOf(summary, 'cleanup')).toBe(160)
    expect(opsOf(summary, 'execute')).toBeGreaterThan(100)
  })
})
