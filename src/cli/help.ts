/** Help texts, made from the table of commands. Pure. */

import { COMMANDS, type CommandName, type CommandSpec, type FlagSpec } from './commands.ts'

/** Columns of help texts: readable on the narrowest usual terminal. */
const WIDTH = 80
const FLAG_COLUMN = 26

export function renderHelp(topic: CommandName | null): string {
  const command = COMMANDS.find((one) => one.name === topic)
  return command === undefined ? renderOverview() : renderCommandHelp(command)
}

function renderOverview(): string {
  const names = COMMANDS.map((command) => `  ${usageOf(command).padEnd(FLAG_COLUMN)}  ${command.summary}`)
  return [
    'Paceline: a distributed storage benchmark without a controller.',
    '',
    'Usage: paceline COMMAND [FLAGS]',
    '',
    ...names,
    '',
    '"paceline COMMAND --help" explains a command; "paceline --version" prints the version.',
    'First steps:  paceline run PLAN.yaml',
    '',
  ].join('\n')
}

function renderCommandHelp(command: CommandSpec): string {
  const required = command.flags.filter((flag) => flag.required === true).map((flag) => ` --${flag.name} ${flag.value}`)
  const flags = command.flags.length === 0 ? '' : `${required.join('')} [FLAGS]`
  const lines = [`Usage: paceline ${usageOf(command)}${flags}`, '', sentence(command.summary)]
  if (command.flags.length > 0) lines.push('', ...command.flags.flatMap(flagLines))
  for (const note of command.notes) lines.push('', ...wrap(note, WIDTH))
  return `${lines.join('\n')}\n`
}

function flagLines(flag: FlagSpec): string[] {
  const head = `  --${flag.name}${flag.value === null ? '' : ` ${flag.value}`}`
  const env = flag.env === undefined ? '' : ` (or ${flag.env})`
  const text = wrap(`${flag.help}${env}${flag.required === true ? ' (required)' : ''}`, WIDTH - FLAG_COLUMN)
  const indent = ' '.repeat(FLAG_COLUMN)
  if (head.length + 2 > FLAG_COLUMN) return [head, ...text.map((line) => indent + line)]
  return text.map((line, index) => (index === 0 ? head.padEnd(FLAG_COLUMN) : indent) + line)
}

function usageOf(command: CommandSpec): string {
  if (command.operand === null) return command.name
  return `${command.name} ${command.operand.required ? command.operand.name : `[${command.operand.name}]`}`
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  lines.push(line)
  return lines
}
