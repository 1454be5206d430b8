/** Who takes part in a plan: the agents that it names, else as many as the command line asks for, else as it says. */

import type { Wanted } from '../../barrier/mod.ts'
import type { Plan } from './types.ts'

/** `agents`: of the command line; null: nothing was asked for. */
export function wantedAgents({ wanted }: Plan, agents: number | null): Wanted {
  return agents === null || wanted.kind === 'names' ? wanted : { kind: 'count', count: agents }
}

/** What to say where `agents` does not count; null where it does. */
export function agentsNotice({ wanted }: Plan, agents: number | null): string | null {
  if (agents === null || wanted.kind !== 'names' || wanted.names.length === agents) return null
  const names = wanted.names.join(', ')
  return `the plan names its agents, so these take part, not any ${agents}: ${names} (take the ids out of distributed.agents to choose by number)`
}
