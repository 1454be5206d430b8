import { COMMANDS } from '../../src/cli/commands.ts'
import { markdownTable } from './table.ts'

/** Each command with its flags, from the table that the parser and the help texts use. */
export function commandsTable(): string {
  const parts = COMMANDS.map(({ name, operand, summary, flags, notes }) => {
    const usage = operand === null ? name : `${name} ${operand.required ? operand.name : `[${operand.name}]`}`
    const rows = flags.map((flag) => [
      `\`--${flag.name}${flag.value === null ? '' : ` ${flag.value}`}\``,
      `${flag.help}${flag.env === undefined ? '' : ` (or \`${flag.env}\`)`}${flag.required === true ? '; required' : ''}`,
    ])
    const table = rows.length === 0 ? [] : [markdownTable(['flag', 'meaning'], rows)]
    return [`### paceline ${usage}`, `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`, ...table, ...notes].join(
      '\n\n',
    )
  })
  return `${parts.join('\n\n')}\n`
}
