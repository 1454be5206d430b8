/** Checks before anything is measured: every target is allowed, reached, writable where it must be, and large enough. */

import { closeSync, openSync, statfsSync, unlinkSync, writeSync } from 'node:fs'
import path from 'node:path'
import { beginAt } from './begin.ts'
import { now } from './clock.ts'
import { checkAllowed, checkExecAllowed, resolvePath } from './containment.ts'
import { codeOf, describeOpError, IoError, messageOf } from './errors.ts'
import { parsePattern } from './glob.ts'
import { hashHex } from './random.ts'
import { failResult, plainResult } from './result.ts'
import { S3Probe } from './s3.ts'
import { Folders } from './stores/folders.ts'
import type { Containment, RunOptions, StageContext, StageResult, ValidationWork } from './types.ts'
import { asFolder, isLocal, parseUri } from './uri.ts'

/** Reasons that are told; a plan with more wrong targets gets a count of the rest. */
const REASONS_MAX = 5

export interface ValidationPlace {
  readonly containment: Containment
  /** For S3 targets that name no host; null: as the environment says. */
  readonly endpoint: string | null
}

export async function runValidation(
  work: ValidationWork,
  context: StageContext,
  { containment, endpoint }: ValidationPlace,
  options: RunOptions,
): Promise<StageResult> {
  let startedAt = Math.max(options.startAt, now())
  const failures: unknown[] = []
  const warnings: string[] = []
  const attempt = async (check: () => unknown): Promise<void> => {
    try {
      await check()
    } catch (error) {
      failures.push(error)
    }
  }
  try {
    startedAt = await beginAt(options.startAt, options.signal)
    options.onStarted?.(startedAt)
    const [command] = work.commands
    if (command !== undefined) await attempt(() => checkExecAllowed(command, containment))
    const folders = new Folders(containment, 4)
    const s3 = new S3Probe(endpoint, probeName(context), options.signal)
    try {
      for (const { uri, writes } of mergeTargets(work.targets)) {
        options.signal.throwIfAborted()
        await attempt(async () => {
          const { folder } = parsePattern(uri)
          checkAllowed(folder, containment)
          const { scheme, path: place } = parseUri(folder)
          if (scheme === 's3') await s3.check(asFolder(folder), writes)
          if (!isLocal(scheme)) return
          checkFolder(asFolder(place), folder, writes, folders, context)
          if (writes) checkSpace(place, folder, work.bytesNeeded, warnings)
        })
      }
    } finally {
      folders.close()
      s3.close()
    }
  } catch (error) {
    failures.push(options.signal.aborted ? new IoError('CANCELLED', 'The stage was cancelled') : error)
  }
  const result = { ...plainResult({ startedAt, endedAt: Math.max(now(), startedAt) }), warnings }
  return failures.length === 0 ? result : failResult(result, joinFailures(failures))
}

/** A place that is both read and written is checked once, as written. */
function mergeTargets(targets: ValidationWork['targets']): ValidationWork['targets'] {
  const merged = new Map<string, boolean>()
  for (const { uri, writes } of targets) merged.set(uri, writes || merged.get(uri) === true)
  return [...merged].map(([uri, writes]) => ({ uri, writes }))
}

/** Peers check the same folder at the same moment. */
function probeName({ run, plan, agent }: StageContext): string {
  return `.paceline-probe-${hashHex(`${run}\n${plan}\n${agent}`)}`
}

function joinFailures(failures: readonly unknown[]): IoError {
  const [first] = failures
  const told = failures.slice(0, REASONS_MAX).map(messageOf)
  const rest = failures.length - told.length
  const text = rest > 0 ? `${told.join('; ')}; and ${rest} more` : told.join('; ')
  return first instanceof IoError ? new IoError(first.code, text) : new IoError('FAILED', text)
}

/** Throws IoError NOT_REACHABLE or NOT_WRITABLE. A folder that is to be written is made when it is missing. */
function checkFolder(folder: string, uri: string, writes: boolean, folders: Folders, context: StageContext): void {
  let prefix: string
  try {
    prefix = folders.hold(folder, writes).prefix
  } catch (error) {
    if (error instanceof IoError) throw error
    if (writes) throw new IoError('NOT_WRITABLE', describeOpError('create', uri, error), { cause: error })
    const hint = codeOf(error) === 'ENOENT' ? ': create it, or prepare it with a stage of this plan' : ''
    throw new IoError('NOT_REACHABLE', describeOpError('open', uri, error) + hint, { cause: error })
  }
  if (!writes) return
  const probe = prefix + probeName(context)
  try {
    const fd = openSync(probe, 'wx')
    try {
      writeSync(fd, 'paceline')
    } finally {
      closeSync(fd)
      unlinkSync(probe)
    }
  } catch (error) {
    throw new IoError('NOT_WRITABLE', describeOpError('write to', uri, error), { cause: error })
  }
}

/** Throws IoError NO_SPACE. */
function checkSpace(place: string, uri: string, bytesNeeded: number, warnings: string[]): void {
  if (bytesNeeded === 0) return
  let free: number
  try {
    const { bavail, bsize } = statfsSync(existing(resolvePath(place)))
    free = bavail * bsize
  } catch (error) {
    warnings.push(`The free space of ${uri} could not be read: ${messageOf(error)}`)
    return
  }
  if (free >= bytesNeeded) return
  const text = `${uri} has ${readable(free)} free, the plan stores up to ${readable(bytesNeeded)}`
  throw new IoError('NO_SPACE', `${text}: free some space, or use fewer or smaller objects`)
}

function existing(place: string): string {
  return place === '/' ? '/' : place.replace(/\/+$/, '') || path.dirname(place)
}

function readable(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let value = bytes
  let unit = 0
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}
