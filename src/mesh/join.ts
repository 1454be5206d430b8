/** Keeps a connection to each address that a person gave: two halves of a split mesh meet again there. */

import { setTimeout as sleep } from 'node:timers/promises'
import { limits } from './limits.ts'

export interface JoinEvents {
  /** The peer that answers there; rejects when nobody does. */
  dial(address: string): Promise<string>
  isConnected(peer: string): boolean
  /** The address is this peer's own. */
  isSelf(peer: string): boolean
  /** Told once for each time that an address stops answering. */
  onFailure(address: string, error: unknown): void
}

export async function keepJoining(
  addresses: readonly string[],
  events: JoinEvents,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(addresses.map((address) => keepOne(address, events, signal)))
}

async function keepOne(address: string, events: JoinEvents, signal: AbortSignal): Promise<void> {
  let wait: number = limits.joinRetryMs
  let reported = false
  let peer: string | undefined
  while (!signal.aborted) {
    if (peer !== undefined && events.isConnected(peer)) {
      wait = limits.joinRetryMs
      reported = false
    } else {
      try {
        peer = await events.dial(address)
        if (events.isSelf(peer)) return
      } catch (error) {
        if (!reported && !signal.aborted) events.onFailure(address, error)
        reported = true
      }
      wait = Math.min(limits.joinRetryMaxMs, wait * 2)
    }
    await sleep(wait, undefined, { signal, ref: false }).catch(() => undefined)
  }
}
