/** Barrier settings of a stage: its own `barrier`, else `barrier_sync.<type>`, else its defaults, else the built-in ones. */

import type { BarrierSpec } from '../../barrier/mod.ts'
import type { WrittenDistributed } from './schema.ts'
import { builtInBarrier, type StageType, type WrittenBarrier } from './schema-stages.ts'
import type { PlanSource } from './source.ts'

type WrittenSync = NonNullable<WrittenDistributed['barrier_sync']>
type Setting = Partial<BarrierSpec>

/** What `barrier_sync` says for a type of stage. */
function syncBarrier(sync: WrittenSync | undefined, type: StageType): Setting {
  if (sync === undefined) return {}
  const defaults: WrittenBarrier = {
    type: sync.type,
    heartbeat_interval: sync.default_heartbeat_interval ?? sync.heartbeat_interval,
    missed_threshold: sync.default_missed_threshold ?? sync.missed_threshold,
    query_timeout: sync.default_query_timeout ?? sync.query_timeout,
    query_retries: sync.default_query_retries ?? sync.query_retries,
    agent_barrier_timeout: sync.default_agent_barrier_timeout ?? sync.agent_barrier_timeout,
    timeout_seconds: sync.timeout_seconds,
    straggler_grace: sync.default_straggler_grace ?? sync.straggler_grace,
  }
  return { ...settingOf(defaults), ...settingOf(sync[type]) }
}

export function resolveBarrier(
  sync: WrittenSync | undefined,
  type: StageType,
  own: WrittenBarrier | undefined,
): BarrierSpec {
  return { ...builtIn, ...syncBarrier(sync, type), ...settingOf(own) }
}

export function noticeDisabled(source: PlanSource, sync: WrittenSync | undefined): void {
  if (sync?.enabled !== false) return
  const path = ['distributed', 'barrier_sync', 'enabled']
  source.notice(path, 'barriers cannot be switched off; stages always go in step')
}

/** Only what is set: what is left out must not hide what is set elsewhere. */
function settingOf(written: WrittenBarrier | undefined): Setting {
  if (written === undefined) return {}
  const setting: { [K in keyof BarrierSpec]: BarrierSpec[K] | undefined } = {
    policy: written.type,
    heartbeatIntervalMs: written.heartbeat_interval,
    missedThreshold: written.missed_threshold,
    queryTimeoutMs: written.query_timeout,
    queryRetries: written.query_retries,
    barrierTimeoutMs: written.agent_barrier_timeout ?? written.timeout_seconds,
    stragglerGraceMs: written.straggler_grace,
  }
  return Object.fromEntries(Object.entries(setting).filter(([, value]) => value !== undefined))
}

const builtIn = settingOf(builtInBarrier) as BarrierSpec
