/** Standard output and error may be closed or full while a command runs: its work is worth more than what it says. */

/**
 * Watches until the process ends. The function returned says where output was lost, and makes an exit code of its own of
 * that; a reader that went away (EPIPE), as `head` does, wants no more.
 */
export function watchStandardStreams(): (exit: number) => Promise<number> {
  let lost: Error | null = null
  process.stdout.on('error', (error) => {
    if (!('code' in error && error.code === 'EPIPE')) lost ??= error
  })
  // Nobody is left who could be told.
  process.stderr.on('error', () => {})
  return async (exit) => {
    // What was written at last fails in a turn of its own.
    await new Promise((resolve) => setImmediate(resolve))
    if (lost === null) return exit
    process.stderr.write(
      `paceline: standard output could not be written (${lost.message}): free space, or send it elsewhere\n`,
    )
    return exit === 0 ? 1 : exit
  }
}
