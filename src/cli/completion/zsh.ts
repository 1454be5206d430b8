/** Completion for zsh. Pure. */

import { COMMANDS, type CommandSpec, type FlagSpec } from '../commands.ts'
import { quoted, valuesOf } from './words.ts'

export function zshScript(): string {
  const commands = COMMANDS.map(({ name, summary }) => `    ${quoted(`${name}:${escaped(summary)}`)}`)
  return `#compdef paceline
# paceline completion for zsh: eval "$(paceline completion zsh)", or as a file _paceline in a folder of $fpath
_paceline() {
  local -a commands
  commands=(
${commands.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe -t commands 'command' commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${COMMANDS.map(commandCase).join('\n')}
  esac
}
if [[ $funcstack[1] == _paceline ]]; then _paceline "$@"; else compdef _paceline paceline; fi
`
}

function commandCase(command: CommandSpec): string {
  const { name, flags, operand } = command
  const specs = [...flags.map(flagSpec), quoted('--help[explain the command]')]
  if (operand !== null) specs.push(quoted(`1:${escaped(operand.name)}:${actionOf(operand.name)}`))
  return `    ${name})\n      _arguments ${specs.join(' \\\n        ')} ;;`
}

function flagSpec({ name, value, help, repeatable }: FlagSpec): string {
  const many = repeatable === true ? '*' : ''
  const tail = value === null ? '' : `:${escaped(value)}:${actionOf(value)}`
  return quoted(`${many}--${name}[${escaped(help)}]${tail}`)
}

function actionOf(placeholder: string): string {
  const values = valuesOf(placeholder)
  switch (values.kind) {
    case 'words':
      return `(${values.words.join(' ')})`
    case 'files':
      return '_files'
    case 'folders':
      return '_files -/'
    case 'anything':
      return ' '
  }
}

/** Brackets and colons mean something in the words of _arguments and _describe. */
function escaped(text: string): string {
  return text.replace(/[\\[\]:]/g, '\\$&')
}
