/** Completion for fish. Pure. */

import { COMMANDS, type CommandSpec } from '../commands.ts'
import { valuesOf } from './words.ts'

export function fishScript(): string {
  const commands = COMMANDS.map(
    ({ name, summary }) => `complete -c paceline -n __fish_use_subcommand -a ${name} -d ${inFish(summary)}`,
  )
  return `# paceline completion for fish: paceline completion fish > ~/.config/fish/completions/paceline.fish
complete -c paceline -f
complete -c paceline -l help -d 'explain the command'
${[...commands, ...COMMANDS.flatMap(ofCommand)].join('\n')}
`
}

function ofCommand({ name, flags, operand }: CommandSpec): string[] {
  const head = `complete -c paceline -n '__fish_seen_subcommand_from ${name}'`
  const lines = flags.map((flag) => {
    const value = flag.value === null ? '' : ` ${argumentOf(flag.value, '-r -F')}`
    return `${head} -l ${flag.name}${value} -d ${inFish(flag.help)}`
  })
  if (operand !== null) lines.push(`${head} ${argumentOf(operand.name, '-F')}`)
  return lines
}

function argumentOf(placeholder: string, files: string): string {
  const values = valuesOf(placeholder)
  switch (values.kind) {
    case 'words':
      return `-x -a ${inFish(values.words.join(' '))}`
    case 'files':
      return files
    case 'folders':
      return `-x -a '(__fish_complete_directories)'`
    case 'anything':
      return '-x'
  }
}

function inFish(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}
