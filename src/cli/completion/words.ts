/** What can be completed, from the table of commands. Pure. */

import { COMMANDS, type CommandSpec } from '../commands.ts'

/** What may stand where a placeholder does. */
export type Values =
  | { readonly kind: 'files' | 'folders' | 'anything' }
  | { readonly kind: 'words'; readonly words: readonly string[] }

const FILES = new Set(['FILE', 'PLAN.yaml'])
const FOLDERS = new Set(['DIR'])

export function valuesOf(placeholder: string): Values {
  if (placeholder.includes('|')) return { kind: 'words', words: placeholder.split('|') }
  if (FILES.has(placeholder)) return { kind: 'files' }
  return { kind: FOLDERS.has(placeholder) ? 'folders' : 'anything' }
}

export function commandNames(): string[] {
  return COMMANDS.map(({ name }) => name)
}

/** Flags as they are typed. */
export function flagsOf(command: CommandSpec): string[] {
  return [...command.flags.map(({ name }) => `--${name}`), '--help']
}

/** In single quotes of sh, bash and zsh. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
