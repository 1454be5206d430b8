import { PacelineError } from '../errors.ts'

/** A plan that cannot be used. The message names every problem with file:line:column. */
export class PlanError extends PacelineError {
  override readonly name = 'PlanError'

  constructor(code: string, message: string, cause?: unknown) {
    super(code, message, { exitCode: 2, cause })
  }
}
