/** What `paceline validate` shows of a plan. Pure. */

import type { BarrierSpec, Wanted } from '../../barrier/mod.ts'
import type { StageWork } from '../../io/mod.ts'
import { formatBytes } from '../terminal/mod.ts'
import { meanBytes, treeFiles } from './amounts.ts'
import { memoryOf } from './memory.ts'
import type { Plan } from './types.ts'
import { agentsNotice, wantedAgents } from './wanted.ts'
import { folderOf } from './work.ts'

export interface StageDescription {
  readonly position: number
  readonly name: string
  readonly type: string
  readonly optional: boolean
  readonly barrier: BarrierSpec
  readonly seconds: number | null
  /** What it makes, all agents together. */
  readonly objects: number
  readonly bytes: number
  /** About how much an agent needs for it. */
  readonly memoryBytes: number
  readonly work: string
}

export interface PlanDescription {
  readonly hash: string
  readonly agents: string
  readonly stages: readonly StageDescription[]
  readonly targets: readonly string[]
  readonly objects: number
  readonly bytes: number
  /** About how much an agent needs for its largest stage. */
  readonly memoryBytes: number
  readonly notices: readonly string[]
}

/** `agents`: reckon with this many, where the plan names none. */
export function describePlan(plan: Plan, agents: number | null = null): PlanDescription {
  const wanted = wantedAgents(plan, agents)
  const notice = agentsNotice(plan, agents)
  const names = namesOf(wanted)
  const targets = new Set<string>()
  const stages = plan.stages.map((stage): StageDescription => {
    const works = names.map((name) => stage.workFor(name))
    for (const uri of works.flatMap(urisOf)) targets.add(uri)
    const { position, name, type, expectedSeconds: seconds } = stage
    const { optional, barrier } = stage.spec
    const memoryBytes = Math.max(0, ...works.map(memoryOf))
    const made = madeByAll(works)
    const [first] = works
    const work = first === undefined ? '' : summary(first, made)
    return { position, name, type, optional, barrier, seconds, ...made, memoryBytes, work }
  })
  return {
    hash: plan.hash,
    agents: agentsText(wanted),
    stages,
    targets: [...targets],
    objects: stages.reduce((sum, { objects }) => sum + objects, 0),
    bytes: stages.reduce((sum, { bytes }) => sum + bytes, 0),
    memoryBytes: Math.max(0, ...stages.map((stage) => stage.memoryBytes)),
    notices: [...plan.notices.map(({ message }) => message), ...(notice === null ? [] : [notice])],
  }
}

/** Agents to reckon with: those named, else as many as are wanted, else one. */
function namesOf(wanted: Wanted): readonly string[] {
  if (wanted.kind === 'names') return wanted.names
  return Array.from({ length: wanted.kind === 'count' ? wanted.count : 1 }, () => '')
}

export function renderPlanDescription(description: PlanDescription): string {
  const lines = [`plan ${description.hash.slice(0, 12)}, agents: ${description.agents}`, '']
  for (const { position, name, type, optional, barrier, seconds, work } of description.stages) {
    const time = seconds === null ? '' : ` for ${seconds} s`
    const grace = barrier.policy === 'majority' ? `, straggler grace ${barrier.stragglerGraceMs / 1000} s` : ''
    const timeout = `timeout ${barrier.barrierTimeoutMs / 1000} s`
    lines.push(`${position} ${name}: ${type}${time}${optional ? ' (optional)' : ''}, ${work}`)
    lines.push(`    barrier stage-${position}-${name}: ${barrier.policy}${grace}, ${timeout}`)
  }
  lines.push('', `objects: ${description.objects} (${formatBytes(description.bytes)})`)
  lines.push(`memory: about ${formatBytes(description.memoryBytes)} an agent`)
  lines.push(...description.targets.map((uri) => `target: ${uri}`))
  lines.push(...description.notices.map((notice) => `note: ${notice}`))
  return `${lines.join('\n')}\n`
}

function agentsText(wanted: Wanted): string {
  if (wanted.kind === 'names') return wanted.names.join(', ')
  return wanted.kind === 'count' ? String(wanted.count) : 'all present'
}

interface Made {
  readonly objects: number
  readonly bytes: number
}

function made(work: StageWork): Made {
  if (work.type !== 'prepare') return { objects: 0, bytes: 0 }
  const sets = [
    ...work.objects.map((set) => ({ count: set.count, mean: meanBytes(set) })),
    ...work.trees.map((tree) => ({ count: treeFiles(tree), mean: meanBytes(tree) })),
  ]
  return {
    objects: sets.reduce((sum, { count }) => sum + count, 0),
    bytes: Math.round(sets.reduce((sum, { count, mean }) => sum + count * mean, 0)),
  }
}

/** Agents share what they make, unless each makes its own; those with another target make the same there. */
function madeByAll(works: readonly StageWork[]): Made {
  const places = new Map<string, Made>()
  for (const [at, work] of works.entries()) {
    const own = work.type === 'prepare' && work.sharing === 'isolated' ? String(at) : ''
    places.set(`${own} ${urisOf(work).join(' ')}`, made(work))
  }
  const all = [...places.values()]
  return {
    objects: all.reduce((sum, { objects }) => sum + objects, 0),
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}

function urisOf(work: StageWork): string[] {
  if (work.type === 'validation') return work.targets.map(({ uri }) => uri)
  if (work.type === 'prepare') return [...work.objects, ...work.trees].flatMap(({ baseUris }) => baseUris)
  return work.type === 'execute' || work.type === 'hybrid' ? work.ops.flatMap(({ uris }) => uris.map(folderOf)) : []
}

function summary(work: StageWork, { objects, bytes }: Made): string {
  switch (work.type) {
    case 'validation':
      return `${work.targets.length} targets`
    case 'prepare':
      return `${objects} objects, ${formatBytes(bytes)}, ${work.concurrency} lanes an agent`
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
