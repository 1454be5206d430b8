/** What `paceline validate` shows of a plan. Pure. */

import type { BarrierSpec } from '../../barrier/mod.ts'
import type { StageWork } from '../../io/mod.ts'
import type { Plan } from './types.ts'
import { meanBytes } from './work.ts'

export interface StageDescription {
  readonly position: number
  readonly name: string
  readonly type: string
  readonly optional: boolean
  readonly barrier: BarrierSpec
  readonly seconds: number | null
  readonly objects: number
  readonly bytes: number
  readonly work: string
}

export interface PlanDescription {
  readonly hash: string
  readonly agents: string
  readonly stages: readonly StageDescription[]
  readonly targets: readonly string[]
  readonly objects: number
  readonly bytes: number
  readonly notices: readonly string[]
}

/** `agents`: reckon with this many, whatever the plan says. */
export function describePlan(plan: Plan, agents: number | null = null): PlanDescription {
  const first = plan.wanted.kind === 'names' ? (plan.wanted.names[0] ?? '') : ''
  const targets = new Set<string>()
  const stages = plan.stages.map((stage): StageDescription => {
    const work = stage.workFor(first, 0)
    for (const uri of urisOf(work)) targets.add(uri)
    const { objects, bytes } = made(work)
    const { position, name, type, expectedSeconds } = stage
    const { optional, barrier } = stage.spec
    return { position, name, type, optional, barrier, seconds: expectedSeconds, objects, bytes, work: summary(work) }
  })
  return {
    hash: plan.hash,
    agents: agentsText(plan, agents),
    stages,
    targets: [...targets],
    objects: stages.reduce((sum, { objects }) => sum + objects, 0),
    bytes: stages.reduce((sum, { bytes }) => sum + bytes, 0),
    notices: plan.notices.map(({ message }) => message),
  }
}

export function renderPlanDescription(description: PlanDescription): string {
  const lines = [`plan ${description.hash.slice(0, 12)}, agents: ${description.agents}`, '']
  for (const { position, name, type, optional, barrier, seconds, work } of description.stages) {
    const time = seconds === null ? '' : ` for ${seconds} s`
    const timeout = `timeout ${barrier.barrierTimeoutMs / 1000} s`
    lines.push(`${position} ${name}: ${type}${time}${optional ? ' (optional)' : ''}, ${work}`)
    lines.push(`    barrier stage-${position}-${name}: ${barrier.policy}, ${timeout}`)
  }
  lines.push('', `objects: ${description.objects} (${sizeText(description.bytes)})`)
  lines.push(...description.targets.map((uri) => `target: ${uri}`))
  lines.push(...description.notices.map((notice) => `note: ${notice}`))
  return `${lines.join('\n')}\n`
}

function agentsText(plan: Plan, agents: number | null): string {
  if (agents !== null) return String(agents)
  if (plan.wanted.kind === 'names') return plan.wanted.names.join(', ')
  return plan.wanted.kind === 'count' ? String(plan.wanted.count) : 'all present'
}

function made(work: StageWork): { objects: number; bytes: number } {
  if (work.type !== 'prepare') return { objects: 0, bytes: 0 }
  const objects = work.objects.reduce((sum, { count }) => sum + count, 0)
  return { objects, bytes: Math.round(work.objects.reduce((sum, set) => sum + set.count * meanBytes(set), 0)) }
}

function urisOf(work: StageWork): string[] {
  if (work.type === 'validation') return work.targets.map(({ uri }) => uri)
  if (work.type === 'prepare') return work.objects.flatMap(({ baseUris }) => [...baseUris])
  return []
}

function summary(work: StageWork): string {
  switch (work.type) {
    case 'validation':
      return `${work.targets.length} targets`
    case 'prepare': {
      const { objects, bytes } = made(work)
      return `${objects} objects, ${sizeText(bytes)}, ${work.concurrency} lanes an agent`
    }
    case 'execute':
    case 'hybrid': {
      const total = work.ops.reduce((sum, { weight }) => sum + weight, 0)
      const ops = work.ops.map(({ op, weight }) => `${op} ${Math.round((100 * weight) / Math.max(1, total))}%`)
      return `${ops.join(', ')}, ${work.concurrency} lanes an agent`
    }
    case 'cleanup':
      return `deletes what prepare and put made, ${work.concurrency} lanes an agent`
    case 'custom':
      return `${work.command} ${work.args.join(' ')}`.trim().slice(0, 60)
  }
}

function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let at = 0
  let value = bytes
  while (value >= 1024 && at < units.length - 1) {
    value /= 1024
    at += 1
  }
  return `${at === 0 ? value : value.toFixed(1)} ${units[at]}`
}
