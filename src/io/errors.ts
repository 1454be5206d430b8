/** Errors of the storage engine: stable codes for programs, sentences for people. */

/** Every code that leaves this folder, with what it means. */
export const IO_ERROR_CODES = {
  NOT_ALLOWED: 'the operator of this node did not allow this place, or commands',
  BAD_URI: 'the URI cannot be read, or its scheme is not supported',
  BAD_WORK: 'the work of a stage contradicts itself',
  NO_OBJECTS: 'a pattern matched no object',
  NOT_REACHABLE: 'a target does not exist or does not answer',
  NOT_WRITABLE: 'a target refuses to be written',
  NO_SPACE: 'less space is free than the plan needs, or none',
  NO_CREDENTIALS: 'the S3 credentials are missing or incomplete',
  PREPARE_INCOMPLETE: 'objects could not be created',
  CLEANUP_INCOMPLETE: 'objects could not be deleted',
  COMMAND_FAILED: 'a custom command could not be started, or ended with an error',
  TIMED_OUT: 'an operation or a command took longer than allowed',
  CANCELLED: 'the stage was cancelled',
  NOT_FOUND: 'an object is missing',
  TRUNCATED: 'an object is shorter than it should be',
  CORRUPT: 'an object does not contain what was written',
  FORBIDDEN: 'the storage denied access',
  THROTTLED: 'the storage was too busy (503 or 429)',
  STORE_REFUSED: 'the storage answered with another error',
  CONNECTION_LOST: 'no connection could be made, or it ended before there was an answer',
  TOO_MANY_ERRORS: 'a workload met as many errors as its plan allows',
  LANE_LOST: 'a lane died or did not come back',
  BAD_RESULT: 'a result that was received cannot be read',
  CLOSED: 'the engine was closed',
  FAILED: 'something else went wrong',
} as const

export type IoErrorCode = keyof typeof IO_ERROR_CODES

/** Base class of all errors of this folder. `code` is stable, `message` says what failed, where, and what to do. */
export class IoError extends Error {
  override readonly name = 'IoError'
  readonly code: IoErrorCode

  constructor(code: IoErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The code of a system error (`ENOENT`, …) or of an IoError; '' when there is none. */
export function codeOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string') {
    return error.code
  }
  return ''
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** What system errors mean to somebody who does not know their names. */
const MEANINGS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'a part of the path is not a folder',
  EISDIR: 'is a folder',
  ELOOP: 'is a symbolic link, which is not followed',
  EMFILE: 'too many open files in this process',
  ENFILE: 'too many open files on this machine',
  EIO: 'the device reported an I/O error',
  EINVAL: 'the file system refused the arguments (it may not support O_DIRECT)',
  ENXIO: 'is not a regular file',
}

/** "put /x/y: no space left on the device (ENOSPC)". */
export function describeOpError(op: string, where: string, error: unknown): string {
  return `${op} ${where}: ${describeReason(error)}`
}

/** "no space left on the device (ENOSPC)". */
export function describeReason(error: unknown): string {
  const code = codeOf(error)
  const meaning = MEANINGS[code]
  return meaning === undefined ? messageOf(error) : `${meaning} (${code})`
}
