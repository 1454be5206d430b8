/** Histories that once failed, and the first few of all: none of them may fail again. */

import { describe, expect, it } from 'vitest'
import { runHistory } from './fuzz.ts'

/** Seed, and what it had found when it failed. */
const found: readonly (readonly [number, string])[] = [
  [11, 'a restart after the healing made the cast of the last plan a matter of luck'],
  [80, 'a clock that jumped announced a start seconds ahead'],
  [107, 'a leaving leader asked itself for a new ballot for ever'],
  [123, 'a peer that went on alone and led the idle ones waited for ever at an all_or_nothing barrier'],
  [132, 'a leader whose members had given up kept its place without a majority'],
  [157, 'a restarted member counted as alive because it kept its peer ID'],
  [228, 'a peer without power counted as present, so a plan began without it'],
  [260, 'a refusal by one that had accepted the start freed the start'],
  [402, 'a copy of a refused submission came late and blocked the next one'],
  [776, 'a submission whose owner was told "busy" started a plan later'],
  [1331, 'two peers that went on alone followed each other'],
  [1513, 'two starts for the same peers called for each other without end'],
  [1678, 'a restarted leader with its old peer ID was taken for the one before'],
  [4482, 'a timer of the policy stayed due while an abort was being decided'],
  [4970, 'a start refused by a majority kept its leader bound for ever'],
  [9703, 'a restarted leader gave a plan a number that had been used'],
  [16661, 'whoever asked the leader of others for decisions asked nobody else for ever longer'],
  [79068, 'a bound peer followed a leader that had no part in its plan'],
  [82037, 'one that had given up a start which the others decided counted as there'],
  [96202, 'the same, after a start that was given up'],
  [120892, 'members waited for a leader that they had excluded, when its heir was behind'],
  [1052570, 'a leader elected a moment ago was called healthy when a rival of the same moment won'],
  [1142770, 'a peer without a part in a plan deposed its leader by what idle peers had promised'],
]

describe('histories that once failed', () => {
  it.each(found)('seed %i: %s', (seed) => {
    expect(runHistory(seed).simulatedMs).toBeGreaterThan(0)
  })
})

it('the same seed gives the same history to the byte', () => {
  for (const seed of [3, 260, 4482]) {
    const traces = [0, 1].map(() => {
      const lines: string[] = []
      runHistory(seed, { trace: (line) => lines.push(line) })
      return lines.join('\n')
    })
    expect(traces[0]).toBe(traces[1])
    expect(traces[0]?.length).toBeGreaterThan(1000)
  }
})

/** `npm run sim:ci` runs many more. */
it('the first 500 histories', () => {
  for (let seed = 1; seed <= 500; seed += 1) runHistory(seed)
})
