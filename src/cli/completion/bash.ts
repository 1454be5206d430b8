/** Completion for bash, 3.2 and later. Pure. */

import { COMMANDS, type CommandSpec } from '../commands.ts'
import { commandNames, flagsOf, quoted, type Values, valuesOf } from './words.ts'

export function bashScript(): string {
  const values = COMMANDS.flatMap((command) =>
    command.flags.flatMap(({ name, value }) =>
      value === null ? [] : [`    '${command.name} --${name}') ${reply(valuesOf(value))} return ;;`],
    ),
  )
  return `# paceline completion for bash: eval "$(paceline completion bash)"
_paceline_reply() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen "$@" -- "$cur"))
}
_paceline_files() {
  compopt -o filenames 2>/dev/null
  _paceline_reply "$@"
}
_paceline() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    _paceline_reply -W ${lines([...commandNames(), '--help', '--version'])}
    return
  fi
  case "$command $prev" in
${values.join('\n')}
  esac
  case "$command" in
${COMMANDS.map(commandCase).join('\n')}
  esac
}
complete -F _paceline paceline
`
}

function commandCase(command: CommandSpec): string {
  const { name, operand } = command
  const other = operand === null ? ':;' : reply(valuesOf(operand.name))
  return `    ${name}) case "$cur" in -*) _paceline_reply -W ${lines(flagsOf(command))} ;; *) ${other} ;; esac ;;`
}

function reply(values: Values): string {
  switch (values.kind) {
    case 'words':
      return `_paceline_reply -W ${lines(values.words)};`
    case 'files':
      return '_paceline_files -f;'
    case 'folders':
      return '_paceline_files -d;'
    case 'anything':
      return ':;'
  }
}

/** Words for compgen, which here parts them at line ends. */
function lines(words: readonly string[]): string {
  return `$${quoted(words.join('\\n'))}`
}
