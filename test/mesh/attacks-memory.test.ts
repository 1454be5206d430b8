/** A node's memory while many peers pour into it: bounded, and the run goes on. Its process is measured from outside. */

import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { encodeFrame } from '../../src/mesh/frames.ts'
import { limits, protocols } from '../../src/mesh/limits.ts'
import { Cluster } from '../e2e/cluster.ts'
import { HELD, heldPlan, hold, letGo, untilWaiting } from '../e2e/plans.ts'
import { Attacker, pour } from './attacker.ts'

const MIB = 1024 * 1024
/** What all attacks together may cost: `limits.unfinishedBytesMax`, a few times while it is put together and collected; much less than is poured. */
const GROWTH_MAX = 300 * MIB
const ATTACKERS = 14

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024
}

/** The most that a process held while something went on. */
async function peakDuring(pid: number, work: Promise<unknown>): Promise<number> {
  let ended = false
  void work.finally(() => {
    ended = true
  })
  let peak = 0
  while (!ended) {
    peak = Math.max(peak, await residentBytes(pid))
    await sleep(20)
  }
  await work
  return peak
}

/** A header that announces as much as is allowed, and most of what it announces. */
function* unfinished(bytes: number): Generator<Uint8Array> {
  const header = new Uint8Array(4)
  new DataView(header.buffer).setUint32(0, bytes)
  yield header
  const part = new Uint8Array(64 * 1024)
  for (let sent = 0; sent < bytes - part.length; sent += part.length) yield part
}

function* endless(document: unknown, count: number): Generator<Uint8Array> {
  const frame = encodeFrame(document)
  for (let at = 0; at < count; at += 1) yield frame
}

it.runIf(process.platform === 'linux')(
  'many peers that pour into a node cost it a bounded amount',
  async () => {
    await using cluster = await Cluster.of(['a', 'b', 'c'])
    await hold(cluster, 'c')
    const submit = await cluster.submit(heldPlan(cluster, { policy: 'all_or_nothing' }), ['--agents', '3'])
    await untilWaiting(cluster, ['a', 'b'], HELD)
    const victim = cluster.leader()
    const pid = cluster.peers.get(victim)?.process.pid ?? 0
    const [address] = JSON.parse(JSON.stringify(cluster.of('node.listening', victim)[0]?.addrs))
    const before = await residentBytes(pid)

    await using crowd = new AsyncDisposableStack()
    const attack = async (index: number): Promise<void> => {
      const attacker = crowd.use(await Attacker.create())
      const greeted = await attacker.join(address, cluster.runId, { name: `m${index}` })
      const stranger = await attacker.stream(address)
      const request = await attacker.stream(address, protocols.client)
      await Promise.all([
        pour(greeted, unfinished(limits.frameBytesMax)),
        pour(stranger, unfinished(limits.helloBytesMax)),
        pour(request, unfinished(limits.requestBytesMax)),
      ])
    }
    const noise = async (): Promise<void> => {
      const attacker = crowd.use(await Attacker.create())
      await pour(await attacker.stream(address, protocols.client), endless({ type: 'obey' }, 5000))
    }
    const attacks = Array.from({ length: ATTACKERS }, (_, index) => attack(index))
    const refused = (reason: string) => cluster.of('message.rejected', victim).some((event) => event.reason === reason)
    const noticed = cluster.until('both are refused', () => refused('frame') && refused('request'), 60_000)
    const peak = await peakDuring(pid, Promise.all([...attacks, noise(), noticed]))
    expect(peak - before).toBeLessThan(GROWTH_MAX)
    await letGo(cluster, 'c')
    expect(await submit.ended).toMatchObject({ code: 0 })
  },
  120_000,
)
