/** Errors that people are meant to read: what failed, where, what to do. */
export class PacelineError extends Error {
  override readonly name: string = 'PacelineError'
  /** Stable, UPPER_SNAKE. */
  readonly code: string
  /** What the process should exit with. */
  readonly exitCode: number

  constructor(code: string, message: string, options: { readonly exitCode?: number; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.code = code
    this.exitCode = options.exitCode ?? 1
  }
}
