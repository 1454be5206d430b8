/** The token of the live view: from a file of the operator's, or made up. */

import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { PacelineError } from '../errors.ts'
import { describeFailure } from '../failure.ts'

/** Shorter ones can be guessed. */
const CHARS_MIN = 16
const CHARS_MAX = 512

export function newToken(): string {
  return randomBytes(24).toString('base64url')
}

/** Throws PacelineError HTTP_TOKEN. */
export async function readToken(file: string): Promise<string> {
  const refuse = (why: string) =>
    new PacelineError('HTTP_TOKEN', `The token in ${file} cannot be used: ${why}`, { exitCode: 2 })
  let token: string
  try {
    token = (await readFile(file, 'utf8')).trim()
  } catch (error) {
    throw refuse(describeFailure(error).message)
  }
  if (/^[\x21-\x7e]*$/.test(token) && token.length >= CHARS_MIN && token.length <= CHARS_MAX) return token
  throw refuse(
    `it must be one line of ${CHARS_MIN} to ${CHARS_MAX} characters without spaces, such as from "openssl rand -hex 16"`,
  )
}
