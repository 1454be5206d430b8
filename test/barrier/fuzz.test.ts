/** Whatever well-formed message comes from whomever, the core does not throw: no peer can stop another one. */

import { expect, it } from 'vitest'
import {
  BarrierCore,
  type CoreStatus,
  type Input,
  type Member,
  type Message,
  type Output,
  type PlanRef,
} from '../../src/barrier/mod.ts'
import { checkMessage } from '../../src/mesh/wire.ts'
import { Prng } from '../sim/prng.ts'
import { Arbitrary } from './arbitrary.ts'
import { barrierSpec, planOf } from './plans.ts'

const members: readonly Member[] = ['a', 'b', 'c'].map((name) => ({ peer: name, name, incarnation: '1' }))
const restarted: Member = { peer: 'b', name: 'b', incarnation: '2' }

class Subject {
  readonly core = new BarrierCore({ self: { peer: 'a', name: 'a', incarnation: '1' }, now: 0, dice: 0.5 })
  readonly plans: PlanRef[] = [{ number: 1, uid: 'another' }]
  status: CoreStatus = this.core.status(0)
  readonly #prng: Prng
  #now = 0

  constructor(prng: Prng) {
    this.#prng = prng
  }

  feed(input: Input): Output[] {
    this.#now += this.#prng.pick([0, 0.5, 20, 700])
    return this.#step(input)
  }

  /** Ticks until it rests, so that its own timers act between the messages. */
  wake(): void {
    const at = this.core.nextWakeAt()
    if (at === null) return
    this.#now = Math.max(this.#now, at)
    this.#step({ type: 'tick' })
  }

  #step(input: Input): Output[] {
    const outputs = this.core.step(input, this.#now, this.#prng.next())
    this.status = this.core.status(this.#now)
    const { plan } = this.status
    if (plan !== null && !this.plans.some(({ uid }) => uid === plan.uid)) this.plans.push(plan)
    return outputs
  }
}

function history(seed: number): Map<string, number> {
  const prng = new Prng(seed)
  const subject = new Subject(prng)
  const arbitrary = new Arbitrary(prng, {
    members: [...members, restarted],
    plans: subject.plans,
    status: () => subject.status,
  })
  for (const member of members.slice(1)) subject.feed({ type: 'peer_up', member })
  const policy = prng.pick(['all_or_nothing', 'majority', 'best_effort'] as const)
  if (prng.chance(0.7)) {
    const agents = prng.int(1, 3)
    subject.feed({
      type: 'submit',
      spec: planOf({ submission: 's1', stages: 3, barrier: barrierSpec(policy), agents }),
    })
  }
  const seen = new Map<string, number>()
  for (let count = 0; count < 120; count += 1) {
    const outputs = act(prng, subject, arbitrary)
    for (const { type } of outputs) seen.set(type, (seen.get(type) ?? 0) + 1)
  }
  return seen
}

function act(prng: Prng, subject: Subject, arbitrary: Arbitrary): Output[] {
  if (prng.chance(0.1)) subject.wake()
  if (prng.chance(0.02)) return subject.feed({ type: 'peer_up', member: prng.pick([...members.slice(1), restarted]) })
  if (prng.chance(0.02)) return subject.feed({ type: 'peer_down', peer: prng.pick(['b', 'c']) })
  if (prng.chance(0.02)) return subject.feed({ type: 'unreachable', peer: prng.pick(['b', 'c']) })
  if (prng.chance(0.05)) {
    const sequence = prng.int(1, 3)
    return subject.feed({ type: 'ready', plan: prng.pick(subject.plans), sequence, status: 'ok', payload: 'x' })
  }
  if (prng.chance(0.03)) return subject.feed({ type: 'armed', plan: prng.pick(subject.plans) })
  const message = arbitrary.message()
  if (prng.chance(0.02)) mustBeWellFormed(message)
  const from = prng.pick(['b', 'c', 'stranger'])
  // A voter's own ballot, an honest sender's: most messages name their sender.
  const honest = 'ballot' in message && prng.chance(0.7) ? prng.pick([message.ballot.peer, from]) : from
  return subject.feed({ type: 'message', from: honest, incarnation: prng.pick(['1', '1', '1', '2']), message })
}

function mustBeWellFormed(message: Message): void {
  const checked = checkMessage(JSON.parse(JSON.stringify(message)))
  if (!checked.ok) throw new Error(`an arbitrary message is not well-formed: ${checked.fault}`)
}

it('survives arbitrary messages in every state', () => {
  const seen = new Map<string, number>()
  for (let seed = 1; seed <= 1500; seed += 1) {
    try {
      for (const [type, count] of history(seed)) seen.set(type, (seen.get(type) ?? 0) + count)
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }
  // The messages got somewhere: this core led, followed, took part, ran stages and ended plans.
  for (const type of [
    'leader_elected',
    'plan_proposed',
    'plan_withdrawn',
    'plan_started',
    'run_stage',
    'decided',
    'plan_finished',
    'rejected',
  ]) {
    expect(seen.get(type) ?? 0, type).toBeGreaterThan(50)
  }
})
