/** Troubles laid in wait for the rare moments that chance alone hardly hits. */

import { Prng } from './prng.ts'
import { barrierTimeoutsMs, type Trigger } from './scenario.ts'

/** Some histories have an ambush, for what chance alone brings about in one of many thousands. */
export function planAmbush(seed: number, count: number): Trigger[] {
  const prng = new Prng(seed + 1)
  if (seed % 16 === 5) return ambushWhoGivesUp(prng)
  if (seed % 16 === 15) return ambushWhoGoesAlone(prng, count)
  if (seed % 16 === 1) return ambushTwoLeaders(prng, count)
  return seed % 16 === 6 ? ambushLateStart(prng, count) : []
}

/**
 * The leader hears all accepts of a start and can tell nobody, while most of the others stand still: who does not gives
 * the plan up, and has to say that it had accepted it.
 */
function ambushWhoGivesUp(prng: Prng): Trigger[] {
  const accepted = { on: 'send accept', where: 'start', skip: prng.int(0, 3) } as const
  return [
    { ...accepted, victim: 'leader', trouble: 'mute', delayMs: 0, lastsMs: prng.between(8000, 16_000) },
    { ...accepted, victim: 'others', trouble: 'pause', delayMs: prng.between(1, 5), lastsMs: prng.between(2000, 9000) },
  ]
}

/**
 * A release is chosen by the leader, which dies, and by one that accepted it. The others stand still for as long as that
 * one waits before it goes on alone: then it must not take part in deciding again what it had accepted.
 */
function ambushWhoGoesAlone(prng: Prng, count: number): Trigger[] {
  const skip = Math.max(0, Math.floor(count / 2) - 1) + prng.int(0, 1) * (count - 1)
  const accepted = { on: 'send accept', where: 'later', skip, delayMs: 0 } as const
  const lastsMs = prng.pick(barrierTimeoutsMs) + prng.between(-100, 500)
  return [
    { ...accepted, victim: 'leader', trouble: 'crash', lastsMs: 0 },
    { ...accepted, victim: 'others', trouble: 'pause', lastsMs },
  ]
}

/**
 * The leader stands still when the others have accepted its start, and so does the next one when they have accepted what
 * it carried over: the third one learns of that from one of them, and from the first, which had accepted nothing.
 */
function ambushTwoLeaders(prng: Prng, count: number): Trigger[] {
  const accepted = { on: 'send accept', where: 'start', victim: 'leader', delayMs: 0 } as const
  const all = Math.max(1, count - 1)
  const second = prng.pick(['pause', 'crash', 'mute'] as const)
  return [
    { ...accepted, skip: all - 1, trouble: 'pause', lastsMs: prng.between(500, 6000) },
    { ...accepted, skip: all + prng.int(0, all), trouble: second, lastsMs: prng.between(4000, 12_000) },
  ]
}

/**
 * A start comes late to one of the peers that it names: meanwhile the others, which had accepted it, are cut off from
 * their leader, and give it up because that one says that it never will. Then all hear each other again.
 */
function ambushLateStart(prng: Prng, count: number): Trigger[] {
  const lastsMs = prng.between(500, 5000)
  const skip = Math.max(0, count - 3)
  return [
    { on: 'send submit', where: 'any', skip: 0, victim: 'receiver', trouble: 'snap', delayMs: 0, lastsMs: 9000 },
    { on: 'send accept', where: 'start', skip, victim: 'leader', trouble: 'isolate', delayMs: 0, lastsMs },
  ]
}
