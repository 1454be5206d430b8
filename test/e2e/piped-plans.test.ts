/** Plans that come from pipes, as shells and other programs hand them over. */

import { spawn } from 'node:child_process'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { hasDeno, launcher } from './cluster.ts'

const main = path.resolve(path.dirname(launcher), '../src/cli/main.ts')
const deno = path.resolve(path.dirname(launcher), '../node_modules/deno/deno')
const RUNTIMES = [
  ['node', [process.execPath, main], true],
  ['deno', [deno, 'run', '-A', main], hasDeno],
] as const

const GOOD = "target: null:///x/\nduration: 1s\nworkload: [{ op: put, path: 'a/', size: 4KiB }]\n"

/** What a shell makes of `script`: "$@" is the program, standard input is a socket with `input`. */
async function shell(command: readonly string[], script: string, input = ''): Promise<{ code: unknown; text: string }> {
  const child = spawn('bash', ['-c', script, 'bash', ...command])
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (more) => (text += more))
  // Who has read enough closes its end.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  return { code: await new Promise((resolve) => child.on('close', resolve)), text }
}

for (const [runtime, command, there] of RUNTIMES) {
  describe.runIf(there)(runtime, () => {
    it.each([
      ['a pipe', 'cat | "$@" validate -'],
      ['a pipe by its name', 'cat | "$@" validate /dev/stdin'],
      ['a socket', '"$@" validate -'],
      ['a socket by its name', '"$@" validate /dev/stdin'],
      ['process substitution', '"$@" validate <(cat <&3)'],
    ])('%s', async (_, script) => {
      const { code, text } = await shell(command, `exec 3<&0; ${script}`, GOOD)
      expect(text).toMatch(/execute/)
      expect(code).toBe(0)
    })

    it('what is wrong has its place', async () => {
      const { code, text } = await shell(command, 'cat | "$@" validate -', `${GOOD}nonsense: 1\n`)
      expect(text).toMatch(/<stdin>:4:1: unknown key "nonsense"/)
      expect(code).toBe(2)
    })

    it.each(['cat /dev/zero | "$@" validate -', '"$@" validate /dev/zero'])(
      'one without an end is refused: %s',
      async (script) => {
        const { code, text } = await shell(command, script)
        expect(text).toMatch(/has more bytes, a plan may have at most 1048576/)
        expect(code).toBe(2)
      },
    )
  })
}
