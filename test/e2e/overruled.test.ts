/** A peer goes on alone, and is followed; then the others, who are more, come back and go on together. */

import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, it } from 'vitest'
import { Cluster, type Program } from './cluster.ts'

const THREE = ['a', 'b', 'c']

async function toldBy(program: Program, words: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const look = () => {
      if (program.stderr.includes(words)) resolve()
    }
    program.process.stderr?.on('data', look)
    look()
  })
}

it('a submitter ends with what most of the members decided, and its results have nothing of the one alone', async () => {
  await using cluster = await Cluster.of(THREE)
  const file = (stage: number, name: string) => path.join(cluster.folder, `hold-${stage}-${name}`)
  for (const name of THREE) for (const stage of [1, 2]) await writeFile(file(stage, name), '')
  const stage = (order: number) => {
    const script = `while [ -e ${cluster.folder}/hold-${order}-$PACELINE_PEER ]; do sleep 0.02; done`
    return `    - { name: s${order}, order: ${order}, type: custom, command: sh, args: ['-c', '${script}'] }\n`
  }
  const plan = `
target: ${cluster.target}
distributed:
  barrier_sync: { type: best_effort, agent_barrier_timeout: 3s }
  stages:
${stage(1)}${stage(2)}`
  const submit = await cluster.submit(plan, ['--agents', '3'])
  const said = (event: string, name: string) => cluster.of(event, name)
  const began = (name: string, sequence: number) => said('stage.started', name).some((one) => one.sequence === sequence)
  await cluster.until('all are at work', () => THREE.every((name) => began(name, 1)))
  for (const name of ['b', 'c']) cluster.peers.get(name)?.kill('SIGSTOP')
  await rm(file(1, 'a'))
  await cluster.until('a goes on alone', () => began('a', 2))
  await toldBy(submit, 'going on alone')
  for (const name of ['b', 'c']) {
    cluster.peers.get(name)?.kill('SIGCONT')
    for (const stage of [1, 2]) await rm(file(stage, name))
  }
  expect((await submit.ended).code).toBe(0)
  expect(submit.stderr).toContain('does not count')
  expect(submit.stdout).toMatch(/\nplan 1 completed\n$/)
  const decisions = await cluster.decisions()
  expect(decisions).toEqual(await cluster.decisions('b'))
  expect(decisions.filter(({ unilateral }) => unilateral)).toEqual([])
  // What it had reported before it went on alone counts.
  const summary = { unilateral: false, stages: [{ counted: THREE }, { counted: ['b', 'c'] }] }
  expect(await cluster.summary()).toMatchObject(summary)
  const report = cluster.command(['report', await cluster.results()])
  expect((await report.ended).code).toBe(0)
  expect(await cluster.summary()).toMatchObject(summary)
}, 90_000)
