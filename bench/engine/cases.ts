/** What is compared: each case once for fio and once for Paceline, with the same files, threads and sizes. */

const KIB = 1024
export const MIB = 1024 * KIB

/**
 * Files that reads choose from, made once; small enough to stay in the page cache. Whole gets that are under way when the
 * measurement begins are not in it: sixteen of 64 MiB from a disk were a third of it.
 */
export const READ_FILES = { count: 32, bytes: 8 * MIB } as const

/** Small files of one round. */
export const SMALL_FILES = { count: 10_000, bytes: 4 * KIB } as const

/** Objects that sequential writes make; their number is chosen so that a round moves `WRITE_BYTES`. */
export const WRITE_OBJECT_BYTES = 16 * MIB
export const WRITE_BYTES = 512 * MIB

export type Kind =
  /** Ranged gets, or whole gets, of the read files. */
  | { readonly kind: 'read'; readonly blockBytes: number; readonly random: boolean }
  /** New objects, written in blocks of 1 MiB. */
  | { readonly kind: 'write' }
  /** One op on each of the small files. */
  | { readonly kind: 'small'; readonly step: SmallStep }
  /** Gets of nothing: what the engines themselves take. */
  | { readonly kind: 'null' }

type SmallStep = 'create-empty' | 'create' | 'stat' | 'read' | 'delete'

interface Settings {
  readonly name: string
  readonly threads: number
  readonly direct: boolean
  /** What the ratio is of. */
  readonly unit: 'ops' | 'bytes'
}

export type Case = Kind & Settings

const SMALL_STEPS: readonly SmallStep[] = ['create-empty', 'create', 'stat', 'read', 'delete']

export function allCases(threads: readonly number[]): Case[] {
  const cases: Case[] = []
  for (const direct of [false, true]) {
    const how = direct ? 'direct' : 'cached'
    for (const n of threads) {
      const shared = { threads: n, direct }
      const random = { kind: 'read', blockBytes: 4 * KIB, random: true, unit: 'ops' } as const
      const whole = { kind: 'read', blockBytes: MIB, random: false, unit: 'bytes' } as const
      cases.push({ ...shared, ...random, name: `4 KiB random read, ${how}` })
      cases.push({ ...shared, ...whole, name: `1 MiB sequential read, ${how}` })
      cases.push({ ...shared, kind: 'write', unit: 'bytes', name: `1 MiB sequential write, ${how}` })
    }
  }
  for (const step of SMALL_STEPS) {
    for (const n of threads) {
      cases.push({ kind: 'small', step, threads: n, direct: false, unit: 'ops', name: `small files, ${step}` })
    }
  }
  cases.push({ kind: 'null', threads: 2, direct: false, unit: 'ops', name: 'null' })
  return cases
}
