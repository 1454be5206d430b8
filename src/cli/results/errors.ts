import { PacelineError } from '../errors.ts'

/** Results that cannot be written or read; says which file and what to do. */
export class ResultsError extends PacelineError {
  override readonly name = 'ResultsError'
}
