/** Dials the addresses that a person gave until somebody is there, and again when everybody is gone. */

import { setTimeout as sleep } from 'node:timers/promises'
import { limits } from './limits.ts'

export interface JoinEvents {
  /** Dials; rejects when nobody answers. */
  dial(address: string): Promise<unknown>
  /** Somebody is connected: nothing to do for now. */
  satisfied(): boolean
  onFailure(address: string, error: unknown): void
}

export async function keepJoining(
  addresses: readonly string[],
  events: JoinEvents,
  signal: AbortSignal,
): Promise<void> {
  let wait: number = limits.joinRetryMs
  let reported = false
  while (!signal.aborted) {
    if (!events.satisfied()) {
      const tries = await Promise.allSettled(addresses.map((address) => events.dial(address)))
      const met = tries.some(({ status }) => status === 'fulfilled')
      tries.forEach((one, at) => {
        if (one.status === 'rejected' && !met && !reported) events.onFailure(addresses[at] ?? '', one.reason)
      })
      reported = !met
      wait = met ? limits.joinRetryMs : Math.min(limits.joinRetryMaxMs, wait * 2)
    }
    await sleep(wait, undefined, { signal, ref: false }).catch(() => undefined)
  }
}
