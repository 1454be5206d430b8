/** What people are told of a peer that waits at a barrier, and has nobody to release it. Pure. */

import type { Leaderless } from '../barrier/mod.ts'

/** An election takes less than this: until then there is nothing to say. */
export const LEADERLESS_AFTER_MS = 2000

/** Without a verb, to be put behind the name of the peer: whom it waits for, why, how long, and what then. */
export function describeLeaderless({ members, missing, givesUpInMs, next }: Leaderless): string {
  const who = missing.map(({ name, reason }) => `${name} (${reason})`).join(', ')
  const what =
    2 * (members - missing.length) > members
      ? `no leader among ${members} members yet${who === '' ? '' : `, without ${who}`}`
      : `no majority: ${members - missing.length} of ${members} members within reach, waiting for ${who}`
  if (givesUpInMs === null) return what
  const seconds = Math.ceil(givesUpInMs / 1000)
  return `${what}; ${next === 'unilateral' ? 'goes on alone' : 'stops'} in ${seconds} s`
}
