/** The first signal asks for an end in order, the second for one at once. */

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

export interface StopSignals {
  readonly first: Promise<StopSignal>
  readonly second: Promise<StopSignal>
}

/** Watches until the process ends. `ignored` signals are caught, and mean nothing. */
export function watchSignals(ignored: readonly StopSignal[] = []): StopSignals {
  const first = Promise.withResolvers<StopSignal>()
  const second = Promise.withResolvers<StopSignal>()
  let count = 0
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (ignored.includes(signal)) return
      count += 1
      if (count === 1) first.resolve(signal)
      else second.resolve(signal)
    })
  }
  return { first: first.promise, second: second.promise }
}
