/** The ways in: bin/paceline.js and `deno task`, and what happens to a peer when its launcher goes. */

import { spawn } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { hasDeno } from './cluster.ts'

const root = path.resolve(import.meta.dirname ?? 'test/e2e', '../..')
const LAUNCHERS: readonly [name: string, command: string[]][] = [
  ['bin/paceline.js', [process.execPath, 'bin/paceline.js']],
  ...(hasDeno ? [['deno task', [path.join(root, 'node_modules/deno/deno'), 'task', 'paceline']] as const] : []).map(
    ([name, command]): [string, string[]] => [name, [...command]],
  ),
]

function launch(command: readonly string[], args: readonly string[]) {
  const [program = '', ...before] = command
  const child = spawn(program, [...before, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  const ended = new Promise<number | null>((resolve) => child.on('exit', (code) => resolve(code)))
  // Closed once every process that holds it is gone, the launched one included.
  const closed = new Promise<void>((resolve) => child.stdout.on('close', () => resolve()))
  const said = (words: string) =>
    new Promise<void>((resolve) => {
      child.stdout.on('data', () => text.includes(words) && resolve())
    })
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more
  })
  return { child, ended, closed, said, text: () => text }
}

async function nodeArgs(): Promise<string[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'paceline-launch-'))
  return ['node', '--run-id', path.basename(folder), '--name', 'a', '--log', 'json', '--no-mdns', '--out', folder]
}

it.each(LAUNCHERS)('%s: arguments in, exit code out', async (_, command) => {
  const version = launch(command, ['--version'])
  expect(await version.ended).toBe(0)
  expect(version.text()).toMatch(/^\d+\.\d+\.\d+\n$/)
  const wrong = launch(command, ['node', '--runid', 'x'])
  expect(await wrong.ended).toBe(2)
})

it.each(LAUNCHERS)('%s: a launcher that is told to end, ends its peer in order', async (_, command) => {
  const { child, ended, closed, said, text } = launch(command, await nodeArgs())
  await said('leader.elected')
  child.kill('SIGTERM')
  await ended
  await closed
  expect(text()).toContain('"node.leaving"')
})

it.runIf(process.platform === 'linux').each(LAUNCHERS)(
  '%s: a peer does not outlive its launcher',
  async (_, command) => {
    const { child, closed, said, text } = launch(command, await nodeArgs())
    await said('leader.elected')
    child.kill('SIGKILL')
    await closed
    expect(text()).not.toContain('"node.leaving"')
  },
)
