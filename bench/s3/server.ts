/**
 * The least that an S3 server can do, so that a client is what is measured: nothing is stored, nothing is checked, every
 * get has BYTES bytes. Arguments: BYTES. Prints its port.
 */

import { type AddressInfo, createServer, type Socket } from 'node:net'

const bytes = Number(process.argv[2])
/** Below this, head and body leave in one piece. */
const JOINED_BYTES_MAX = 64 * 1024

const head = Buffer.from(`HTTP/1.1 200 OK\r\nETag: "tag"\r\nContent-Length: ${bytes}\r\n\r\n`)
const body = Buffer.alloc(bytes, 0x5a)
const object = Buffer.concat([head, body])
const stored = Buffer.from('HTTP/1.1 200 OK\r\nETag: "tag"\r\nContent-Length: 0\r\n\r\n')
const deleted = Buffer.from('HTTP/1.1 204 No Content\r\n\r\n')

function answer(socket: Socket, method: string): void {
  if (method === 'GET' && bytes <= JOINED_BYTES_MAX) socket.write(object)
  else if (method === 'GET') {
    socket.cork()
    socket.write(head)
    socket.write(body)
    socket.uncork()
  } else socket.write(method === 'HEAD' ? head : method === 'DELETE' ? deleted : stored)
}

const server = createServer({ noDelay: true }, (socket) => {
  let method = ''
  /** Of a request's head that has not arrived completely. */
  let held = ''
  /** Bytes of a request's body that are still to come. */
  let left = 0
  socket.on('error', () => {})
  socket.on('data', (data: Buffer) => {
    for (let at = 0; at < data.length; ) {
      if (left > 0) {
        const taken = Math.min(left, data.length - at)
        left -= taken
        at += taken
      } else {
        const end = data.indexOf('\r\n\r\n', at)
        if (end === -1) {
          held += data.toString('latin1', at)
          return
        }
        const text = held + data.toString('latin1', at, end)
        held = ''
        at = end + 4
        method = text.slice(0, text.indexOf(' '))
        left = Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1] ?? 0)
      }
      if (left === 0) answer(socket, method)
    }
  })
})
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
