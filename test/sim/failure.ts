/** How a history can fail. The exit codes of `npm run sim` name the kind. */

export type FailureKind = 'crash' | 'liveness' | 'correctness'

export const exitCodes: Readonly<Record<FailureKind, number>> = { crash: 127, liveness: 128, correctness: 129 }

export class SimFailure extends Error {
  override readonly name = 'SimFailure'
  readonly kind: FailureKind

  constructor(kind: FailureKind, message: string) {
    super(message)
    this.kind = kind
  }
}

export function violated(rule: string, detail: string): never {
  throw new SimFailure('correctness', `${rule}: ${detail}`)
}
