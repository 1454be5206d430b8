/** What errors of libp2p say about the other side. */

import { allMessages } from './errors.ts'

/** The other side went away before it was greeted: a client that had what it wanted, say. */
export function isGone(error: unknown): boolean {
  return /closed|reset/i.test(allMessages(error))
}

/** Nothing listens there, or somebody else does: the process that was there is gone. A time-out says nothing. */
export function isRefusal(error: unknown): boolean {
  const text = allMessages(error)
  if (/UnexpectedPeer|InvalidCryptoExchange/.test(text)) return true
  return text.includes('ECONNREFUSED') && !/timed? ?out|EHOSTUNREACH|ENETUNREACH/i.test(text)
}
