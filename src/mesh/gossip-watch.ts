/**
 * What gossipsub refuses by itself, and tells nobody: messages whose signature is wrong, and floods. Who passed them on
 * is to be named, and to pay for the work.
 */

export interface GossipWatch {
  /** Takes one message, or one packet without any, from the budget of the peer that passed it on. */
  admit(source: string): boolean
  onForged(source: string, fault: string): void
  onFlood(source: string): void
}

/** What is used of gossipsub beyond its interface. */
interface Validator {
  validateReceivedMessage: (source: { toString(): string }, message: unknown) => Promise<unknown>
  acceptFrom: (source: string) => boolean
}

/** A version of gossipsub whose inside looks different is left as it is. */
export function watchGossip(pubsub: object, watch: GossipWatch): void {
  if (!isValidator(pubsub)) return
  const accept = pubsub.acceptFrom.bind(pubsub)
  pubsub.acceptFrom = (source) => {
    if (watch.admit(source)) return accept(source)
    watch.onFlood(source)
    return false
  }
  const validate = pubsub.validateReceivedMessage.bind(pubsub)
  pubsub.validateReceivedMessage = async (source, message) => {
    // Before its signature is checked, which is what costs.
    if (!watch.admit(source.toString())) {
      watch.onFlood(source.toString())
      return { code: 'invalid', reason: 'ignore' }
    }
    const result = await validate(source, message)
    const fault = faultOf(result)
    if (fault !== undefined) watch.onForged(source.toString(), fault)
    return result
  }
}

function isValidator(pubsub: object): pubsub is Validator {
  return (
    'validateReceivedMessage' in pubsub &&
    typeof pubsub.validateReceivedMessage === 'function' &&
    'acceptFrom' in pubsub &&
    typeof pubsub.acceptFrom === 'function'
  )
}

/** Set where the message was refused before its content was looked at: "invalid_signature", say. */
function faultOf(result: unknown): string | undefined {
  if (typeof result !== 'object' || result === null) return undefined
  if (!('reason' in result) || result.reason !== 'error' || !('error' in result)) return undefined
  return String(result.error).replaceAll('_', ' ')
}
