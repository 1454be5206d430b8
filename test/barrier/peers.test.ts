/** What a core remembers of peers that came and went. */

import { expect, it } from 'vitest'
import { BarrierCore, barrierLimits } from '../../src/barrier/mod.ts'

it('peers that are gone are forgotten when there are too many, the first ones first; never those that are here', () => {
  const core = new BarrierCore({ self: { peer: 'self', name: 'self', incarnation: '1' }, now: 0, dice: 0.5 })
  const meet = (peer: string) => core.step({ type: 'peer_up', member: { peer, name: peer, incarnation: '1' } }, 0, 0.5)
  meet('here')
  for (let number = 0; number < barrierLimits.peersMax + 10; number += 1) {
    meet(`guest ${number}`)
    core.step({ type: 'peer_down', peer: `guest ${number}` }, 0, 0.5)
  }
  const known = core.status(0).peers.map(({ member }) => member.peer)
  expect(known.length).toBe(barrierLimits.peersMax)
  expect([known[0], known[1]]).toEqual(['here', 'guest 11'])
})
