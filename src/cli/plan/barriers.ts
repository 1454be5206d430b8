/** Barrier settings of a stage: its own `barrier`, else `barrier_sync.<type>`, else its defaults, else the built-in ones. */

import type { BarrierSpec, Policy } from '../../barrier/mod.ts'
import { parseCount, parseDuration } from './quantities.ts'
import type { Fields, PlanSource } from './source.ts'

type Setting = Partial<BarrierSpec>

export const barrierDefaults: BarrierSpec = {
  policy: 'all_or_nothing',
  heartbeatIntervalMs: 1000,
  missedThreshold: 3,
  queryTimeoutMs: 1000,
  queryRetries: 2,
  barrierTimeoutMs: 120_000,
  stragglerGraceMs: 10_000,
}

const policies: readonly string[] = ['all_or_nothing', 'majority', 'best_effort']
const stageTypes = ['validation', 'prepare', 'execute', 'hybrid', 'cleanup', 'custom'] as const

export interface BarrierDefaults {
  readonly all: Setting
  readonly byType: ReadonlyMap<string, Setting>
}

/** `distributed.barrier_sync`. */
export function readBarrierSync(source: PlanSource, fields: Fields | undefined): BarrierDefaults {
  if (fields === undefined) return { all: {}, byType: new Map() }
  const all = readSetting(fields, 'default_')
  const byType = new Map<string, Setting>()
  for (const type of stageTypes) {
    const own = fields.map(type)
    if (own !== undefined) byType.set(type, readBarrier(own))
  }
  const enabled = fields.value('enabled', asBoolean, 'true or false', true)
  if (!enabled) {
    source.notice(fields.node, `${fields.path}.enabled: barriers cannot be switched off; stages always go in step`)
  }
  fields.close()
  return { all, byType }
}

/** A `barrier` mapping. */
export function readBarrier(fields: Fields): Setting {
  const setting = readSetting(fields, '')
  fields.close()
  return setting
}

export function resolveBarrier(defaults: BarrierDefaults, type: string, own: Setting): BarrierSpec {
  return { ...barrierDefaults, ...defaults.all, ...defaults.byType.get(type), ...own }
}

/** Keys with and without the prefix: sai3-bench writes `default_heartbeat_interval` beside `heartbeat_interval`. */
function readSetting(fields: Fields, prefix: string): Setting {
  const setting: { -readonly [K in keyof BarrierSpec]?: BarrierSpec[K] } = {}
  const policy = fields.value('type', asPolicy, `one of ${policies.join(', ')}`, undefined)
  if (policy !== undefined) setting.policy = policy
  const duration = (key: string) => read(fields, prefix, key, positiveDuration, 'a duration above 0 such as 30s')
  const grace = read(fields, prefix, 'straggler_grace', parseDuration, 'a duration such as 10s')
  const heartbeat = duration('heartbeat_interval')
  const queryTimeout = duration('query_timeout')
  const timeout = duration('agent_barrier_timeout') ?? duration('timeout_seconds')
  const missed = read(fields, prefix, 'missed_threshold', positiveCount, 'a whole number above 0')
  const retries = read(fields, prefix, 'query_retries', parseCount, 'a whole number')
  if (heartbeat !== undefined) setting.heartbeatIntervalMs = heartbeat
  if (missed !== undefined) setting.missedThreshold = missed
  if (queryTimeout !== undefined) setting.queryTimeoutMs = queryTimeout
  if (retries !== undefined) setting.queryRetries = retries
  if (timeout !== undefined) setting.barrierTimeoutMs = timeout
  if (grace !== undefined) setting.stragglerGraceMs = grace
  return setting
}

function read<T>(
  fields: Fields,
  prefix: string,
  key: string,
  parse: (value: unknown) => T | undefined,
  expected: string,
): T | undefined {
  const plain = fields.value(key, parse, expected, undefined)
  if (prefix === '') return plain
  return fields.value(`${prefix}${key}`, parse, expected, undefined) ?? plain
}

function asPolicy(value: unknown): Policy | undefined {
  return value === 'all_or_nothing' || value === 'majority' || value === 'best_effort' ? value : undefined
}

export function asBoolean(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined
}

function positiveDuration(value: unknown): number | undefined {
  const ms = parseDuration(value)
  return ms !== undefined && ms > 0 ? ms : undefined
}

export function positiveCount(value: unknown): number | undefined {
  const count = parseCount(value)
  return count !== undefined && count > 0 ? count : undefined
}
