/** The own clock: milliseconds with fractions, near wall time, never falling while the process lives. */
export function now(): number {
  return performance.timeOrigin + performance.now()
}
