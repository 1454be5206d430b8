/** Completion as the shells themselves see it. */

import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../../src/cli/commands.ts'
import { completionScript, type Shell } from '../../src/cli/completion/mod.ts'

const names = COMMANDS.map(({ name }) => name)

function has(shell: Shell): boolean {
  const found = spawnSync(shell, ['--version']).status === 0
  if (!found) process.stderr.write(`Completion for ${shell} is not tested: it is not installed\n`)
  return found
}

function output(shell: Shell, flag: string, script: string): string[] {
  const { status, stdout, stderr } = spawnSync(shell, [flag, '-c', script], {
    encoding: 'utf8',
    cwd: import.meta.dirname,
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return stdout.split('\n').filter((line) => line !== '')
}

/** What bash would offer for these words, the last of which is being typed. */
function inBash(...words: readonly string[]): string[] {
  const typed = words.map((word) => `'${word}'`).join(' ')
  return output(
    'bash',
    '--norc',
    `${completionScript('bash')}
COMP_WORDS=(paceline ${typed}); COMP_CWORD=${words.length}
_paceline
printf '%s\\n' "\${COMPREPLY[@]}"`,
  )
}

function inFish(...words: readonly string[]): string[] {
  const script = `${completionScript('fish')}\ncomplete -C 'paceline ${words.join(' ')}'`
  return output('fish', '--no-config', script).map((line) => line.split('\t')[0] ?? '')
}

/** What the script asks zsh's own functions to offer: a line for each of their arguments. */
function inZsh(...words: readonly string[]): string[] {
  const typed = ['paceline', ...words].map((word) => `'${word}'`).join(' ')
  return output(
    'zsh',
    '-f',
    `compdef() { : }; _describe() { print -l -- "\${(@P)4}" }; _arguments() { print -l -- "$@" }
${completionScript('zsh')}
words=(${typed}); CURRENT=${words.length + 1}
_paceline`,
  )
}

describe.skipIf(!has('bash'))('bash', () => {
  it('commands', () => {
    expect(inBash('')).toEqual([...names, '--help', '--version'])
    expect(inBash('s')).toEqual(['submit', 'status'])
  })

  it.each(COMMANDS)('flags of $name', ({ name, flags }) => {
    expect(inBash(name, '--')).toEqual([...flags.map((flag) => `--${flag.name}`), '--help'])
  })

  it('values: words, files, folders, or nothing', () => {
    expect(inBash('node', '--log', '')).toEqual(['json', 'pretty'])
    expect(inBash('completion', 'z')).toEqual(['zsh'])
    expect(inBash('run', 'completion')).toEqual(['completion.test.ts'])
    expect(inBash('submit', '--secret-file', 'completion')).toEqual(['completion.test.ts'])
    expect(inBash('run', '--out', 'completion')).toEqual([])
    expect(inBash('node', '--name', '')).toEqual([])
    expect(inBash('status', 'x')).toEqual([])
  })
})

describe.skipIf(!has('fish'))('fish', () => {
  it('commands, flags, values', () => {
    expect(inFish('').sort()).toEqual([...names].sort())
    for (const { name, flags } of COMMANDS) {
      expect(inFish(name, '--')).toEqual(expect.arrayContaining(flags.map((flag) => `--${flag.name}`)))
    }
    expect(inFish('node', '--log', "''")).toEqual(['json', 'pretty'])
    expect(inFish('run', 'completion.t')).toEqual(['completion.test.ts'])
  })
})

describe.skipIf(!has('zsh'))('zsh', () => {
  it('commands, flags, values', () => {
    expect(inZsh('').map((line) => line.split(':')[0])).toEqual(names)
    for (const { name, flags, operand } of COMMANDS) {
      const specs = inZsh(name, '--')
      expect(specs).toHaveLength(flags.length + (operand === null ? 1 : 2))
      for (const flag of flags) expect(specs.some((spec) => spec.includes(`--${flag.name}[`))).toBe(true)
    }
    const node = inZsh('node', '')
    expect(node.find((spec) => spec.startsWith('--log['))).toMatch(/:\(json pretty\)$/)
    expect(node.find((spec) => spec.startsWith('--out['))).toMatch(/:_files -\/$/)
    expect(node.some((spec) => spec.startsWith('*--allow['))).toBe(true)
  })
})
