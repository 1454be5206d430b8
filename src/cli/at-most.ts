/** Waiting for something, but not for ever. */

/**
 * What `something` comes to, or `late` after so many ms. Leaves no timer behind that would keep the process; a failure
 * after that is of no interest any more.
 */
export async function atMost<T>(ms: number, something: Promise<T>): Promise<T | 'late'> {
  const { promise: late, resolve } = Promise.withResolvers<'late'>()
  const timer = setTimeout(() => resolve('late'), ms)
  try {
    // A race listens to the one that loses, too: its failure is not one that nobody has seen.
    return await Promise.race([something, late])
  } finally {
    clearTimeout(timer)
  }
}
