/** Does anything listen at an address? A refusal tells within a millisecond, and costs next to nothing. */

import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { multiaddr } from '@multiformats/multiaddr'

export type Knock =
  /** Its host is there, and nothing listens at any of the addresses. */
  | 'refused'
  /** Somebody takes connections, whoever that is. */
  | 'open'
  /** Who knows: no answer in time, no way there, or addresses that only libp2p can dial. */
  | 'unknown'

interface Address {
  readonly host: string
  readonly port: number
}

/** Knocks at all addresses at once. Never rejects. */
export async function knock(addresses: readonly string[], timeoutMs: number): Promise<Knock> {
  const targets = addresses.map(tcpAddress)
  if (targets.length === 0 || targets.includes(undefined)) return 'unknown'
  const late = new AbortController()
  const answers = targets.map((target) => (target === undefined ? 'unknown' : knockAt(target, late.signal)))
  const timeout = sleep(timeoutMs, 'unknown' as const, { signal: late.signal }).catch(() => 'unknown' as const)
  const open = Promise.withResolvers<'open'>()
  for (const answer of answers) void Promise.resolve(answer).then((one) => one === 'open' && open.resolve(one))
  const all = Promise.all(answers).then((list) => (list.every((one) => one === 'refused') ? 'refused' : 'unknown'))
  try {
    return await Promise.race([open.promise, all, timeout])
  } finally {
    late.abort()
  }
}

/** Undefined for what is no address and port of its own, such as one behind a relay or with a name to look up. */
function tcpAddress(address: string): Address | undefined {
  const [host, port, ...rest] = multiaddr(address).getComponents()
  const direct = (host?.name === 'ip4' || host?.name === 'ip6') && port?.name === 'tcp'
  if (!direct || host.value === undefined || rest.some(({ name }) => name !== 'p2p')) return undefined
  return { host: host.value, port: Number(port.value) }
}

function knockAt({ host, port }: Address, signal: AbortSignal): Promise<Knock> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const end = (knocked: Knock) => {
      resolve(knocked)
      socket.destroy()
    }
    signal.addEventListener('abort', () => end('unknown'), { once: true })
    socket.on('connect', () => end('open'))
    socket.on('error', (error) => end('code' in error && error.code === 'ECONNREFUSED' ? 'refused' : 'unknown'))
  })
}
