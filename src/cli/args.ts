/** argv -> command. Pure: reads no file, looks at no network. */

import { parseArgs } from 'node:util'
import type { z } from 'zod'
import { COMMANDS, type CommandSpec } from './commands.ts'
import { PacelineError } from './errors.ts'
import { type Command, commandSchemas } from './flags.ts'
import { nearestWord } from './nearest.ts'

type Values = Readonly<Record<string, string | boolean | readonly string[] | undefined>>
type Environment = Readonly<Record<string, string | undefined>>

function usageError(message: string): PacelineError {
  return new PacelineError('USAGE', message, { exitCode: 2 })
}

/** Throws a PacelineError with code `USAGE` that says what was meant, as far as that can be guessed. */
export function parseCommandLine(argv: readonly string[], env: Environment): Command {
  const [first, ...rest] = argv
  if (first === undefined || first === '--help' || first === '-h') return { name: 'help', topic: null }
  if (first === '--version' || first === '-V' || first === 'version') return { name: 'version' }
  const topicName = first === 'help' ? rest[0] : first
  if (topicName === undefined) return { name: 'help', topic: null }
  const spec = COMMANDS.find((command) => command.name === topicName)
  if (spec === undefined) throw unknownCommand(topicName)
  const end = rest.indexOf('--')
  const flags = end === -1 ? rest : rest.slice(0, end)
  if (first === 'help' || flags.includes('--help') || flags.includes('-h')) return { name: 'help', topic: spec.name }
  return readCommand(spec, rest, env)
}

function unknownCommand(word: string): PacelineError {
  const names = COMMANDS.map((command) => command.name)
  if (word.startsWith('-')) {
    return usageError(`A command comes first, then its flags: got ${word}. Commands: ${names.join(', ')}`)
  }
  const near = nearestWord(word, names)
  const hint = near === undefined ? `commands: ${names.join(', ')}` : `did you mean "${near}"?`
  return usageError(`Unknown command "${word}": ${hint}`)
}

function readCommand(spec: CommandSpec, argv: readonly string[], env: Environment): Command {
  const { values, operand } = tokenize(spec, argv, env)
  const schema: z.ZodType<Command> = commandSchemas[spec.name]
  const parsed = schema.safeParse({ ...values, operand })
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const key = String(issue?.path[0] ?? '')
  const where = key === 'operand' ? (spec.operand?.name ?? key) : `--${key}`
  throw usageError(`${where}: ${issue?.message ?? 'is not valid'}`)
}

/** Splits argv into flags and the operand; refuses what the command does not know. */
function tokenize(spec: CommandSpec, argv: readonly string[], env: Environment): { values: Values; operand?: string } {
  const options: Record<string, { type: 'string' | 'boolean'; multiple: boolean }> = {}
  for (const flag of spec.flags) {
    options[flag.name] = { type: flag.value === null ? 'boolean' : 'string', multiple: flag.repeatable === true }
  }
  const seen = new Set<string>()
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true })
  const values: Record<string, string | boolean | string[]> = {}
  const operands: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value)
    if (token.kind !== 'option') continue
    const flag = spec.flags.find((one) => one.name === token.name)
    if (flag === undefined || token.rawName !== `--${token.name}`) throw unknownFlag(spec, token.rawName)
    if (seen.has(flag.name) && flag.repeatable !== true) throw usageError(`--${flag.name} was given twice`)
    seen.add(flag.name)
    const value = flagValue(flag.name, flag.value, token.value)
    const before = values[flag.name]
    values[flag.name] = flag.repeatable === true ? [...(Array.isArray(before) ? before : []), String(value)] : value
  }
  for (const flag of spec.flags) {
    const fromEnv = flag.env === undefined ? undefined : env[flag.env]
    if (values[flag.name] === undefined && fromEnv !== undefined && fromEnv !== '') values[flag.name] = fromEnv
    if (flag.required === true && values[flag.name] === undefined) {
      throw usageError(`paceline ${spec.name} needs --${flag.name} ${flag.value}`)
    }
  }
  return { values, ...oneOperand(spec, operands) }
}

function flagValue(name: string, placeholder: string | null, value: string | undefined): string | boolean {
  if (placeholder === null) {
    if (value !== undefined) throw usageError(`--${name} takes no value: got "${value}"`)
    return true
  }
  if (value === undefined || value === '') throw usageError(`--${name} needs a value: --${name} ${placeholder}`)
  // parseArgs takes whatever follows; a flag there means that the value was forgotten.
  if (value.startsWith('--')) throw usageError(`--${name} needs a value: --${name} ${placeholder}, got "${value}"`)
  return value
}

function unknownFlag(spec: CommandSpec, raw: string): PacelineError {
  const known = spec.flags.map((flag) => `--${flag.name}`)
  const near = nearestWord(raw, [...known, '--help'])
  const hint = near === undefined ? `"paceline ${spec.name} --help" lists its flags` : `did you mean ${near}?`
  return usageError(`paceline ${spec.name} has no flag ${raw}: ${hint}`)
}

function oneOperand(spec: CommandSpec, operands: readonly string[]): { operand?: string } {
  const [operand, extra] = operands
  if (spec.operand === null && operand !== undefined) {
    throw usageError(`paceline ${spec.name} takes no operand: got "${operand}"`)
  }
  if (extra !== undefined)
    throw usageError(`paceline ${spec.name} takes one ${spec.operand?.name}: got "${extra}" as well`)
  if (spec.operand?.required === true && operand === undefined) {
    throw usageError(`paceline ${spec.name} needs ${spec.operand.name}`)
  }
  return operand === undefined ? {} : { operand }
}
