/** `paceline keygen`: the key of a private mesh, in the format that libp2p and IPFS use (swarm.key). */

import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { PacelineError } from './errors.ts'
import { describeFailure } from './failure.ts'

const KEY_BYTES = 32

export async function makeKey(command: { readonly file: string | null }): Promise<number> {
  const key = `/key/swarm/psk/1.0.0/\n/base16/\n${randomBytes(KEY_BYTES).toString('hex')}\n`
  if (command.file === null) {
    process.stdout.write(key)
    return 0
  }
  try {
    await writeFile(command.file, key, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    throw new PacelineError(
      'KEY_NOT_WRITTEN',
      `The key cannot be written: ${describeFailure(error).message}. Name a new file in a folder that you may write to`,
      {
        exitCode: 2,
      },
    )
  }
  process.stderr.write(`Wrote ${command.file}. Copy it to every host of the run and start peers with --secret-file.\n`)
  return 0
}
