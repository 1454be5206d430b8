import { PacelineError } from '../errors.ts'

export type PlanErrorCode =
  /** It is not there, or cannot be read. */
  | 'PLAN_UNREADABLE'
  | 'PLAN_TOO_LARGE'
  /** Not UTF-8. */
  | 'PLAN_NOT_TEXT'
  /** No YAML, no mapping, too deep, or more values than a plan can have. */
  | 'PLAN_SYNTAX'
  /** Unknown keys, values out of bounds, stages that have nothing to do. */
  | 'PLAN_INVALID'

/** What is wrong at one place of a plan; line and column are counted from 1. */
export interface PlanProblem {
  readonly line: number
  readonly column: number
  readonly message: string
}

/** A plan that cannot be used. The message names every problem with file:line:column. */
export class PlanError extends PacelineError {
  override readonly name = 'PlanError'
  readonly problems: readonly PlanProblem[]

  constructor(
    code: PlanErrorCode,
    message: string,
    { cause, problems = [] }: { readonly cause?: unknown; readonly problems?: readonly PlanProblem[] } = {},
  ) {
    super(code, message, { exitCode: 2, cause })
    this.problems = problems
  }
}
