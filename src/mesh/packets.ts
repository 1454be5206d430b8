/**
 * A TCP transport that writes what belongs together at once. As shipped, each part of a message (length, header,
 * content, tag) is a write of its own: with Nagle's algorithm off, a system call, a packet and a wake-up of the other
 * side for each.
 */

import type { MultiaddrConnection, Transport, Upgrader } from '@libp2p/interface'

type Data = Parameters<MultiaddrConnection['send']>[0]

/** What is used of a TCP connection beyond the interface of connections. */
interface SocketConnection {
  readonly socket: { write(data: Uint8Array): boolean }
  sendData: (data: Data) => { sentBytes: number; canSendMore: boolean }
}

/** A version of the transport whose inside looks different is left as it is. */
export function wholePackets<Components>(
  create: (components: Components) => Transport,
): (components: Components) => Transport {
  return (components) => {
    const transport = create(components)
    const dial = transport.dial.bind(transport)
    const createListener = transport.createListener.bind(transport)
    transport.dial = (address, options) => dial(address, { ...options, upgrader: joining(options.upgrader) })
    transport.createListener = (options) => createListener({ ...options, upgrader: joining(options.upgrader) })
    return transport
  }
}

/** The upgrader, given connections that write whole messages. */
function joining(upgrader: Upgrader): Upgrader {
  const wrapped = Object.create(upgrader) as Upgrader
  wrapped.upgradeInbound = (connection, options) => upgrader.upgradeInbound(joined(connection), options)
  wrapped.upgradeOutbound = (connection, options) => upgrader.upgradeOutbound(joined(connection), options)
  return wrapped
}

function joined(connection: MultiaddrConnection): MultiaddrConnection {
  if (isSocketConnection(connection)) {
    const { socket } = connection
    connection.sendData = (data) => ({
      sentBytes: data.byteLength,
      canSendMore: socket.write(data instanceof Uint8Array ? data : data.subarray()),
    })
  }
  return connection
}

function isSocketConnection(connection: object): connection is SocketConnection {
  return (
    'sendData' in connection &&
    typeof connection.sendData === 'function' &&
    'socket' in connection &&
    typeof connection.socket === 'object' &&
    connection.socket !== null &&
    'write' in connection.socket &&
    typeof connection.socket.write === 'function'
  )
}
