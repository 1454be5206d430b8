/**
 * Noise that prepares its keys once, and reads messages without errors. As shipped, it hands the bytes of the key to the
 * system's ChaCha20-Poly1305 with each message, which takes twice as long to read them as to encrypt a few kilobytes; and behind
 * each message it looks for the length of the next one, and makes an error with its stack when none is there yet.
 */

import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto'
import { noise } from '@chainsafe/libp2p-noise'
import type { ConnectionEncrypter } from '@libp2p/interface'

type Components = Parameters<ReturnType<typeof noise>>[0]

/** Bytes in one piece, or a list of pieces that counts as one. */
type Parts = Pick<Uint8Array, 'byteLength' | 'subarray'>

type Cipher = (data: Parts, nonce: Uint8Array, extra: Uint8Array, key: Uint8Array, into?: Uint8Array) => Parts

const ALGORITHM = 'chacha20-poly1305'
const TAG_BYTES = 16
/** Below this, what noise has of its own for short messages is quicker. */
const SHORT_BYTES = 800

/** A version of noise whose inside looks different is left as it is. */
export function thriftyNoise(): (components: Components) => ConnectionEncrypter {
  const create = noise()
  return (components) => {
    const encrypter = create(components)
    if (hasCiphers(encrypter)) {
      const { encrypt, decrypt } = encrypter.crypto
      encrypter.crypto.encrypt = (data, nonce, extra, key) =>
        data.byteLength < SHORT_BYTES ? encrypt(data, nonce, extra, key) : seal(data, nonce, extra, key)
      encrypter.crypto.decrypt = (data, nonce, extra, key, into) =>
        data.byteLength < SHORT_BYTES ? decrypt(data, nonce, extra, key, into) : open(data, nonce, extra, key)
    }
    const inbound = encrypter.secureInbound.bind(encrypter)
    const outbound = encrypter.secureOutbound.bind(encrypter)
    encrypter.secureInbound = async (stream, options) => patient(await inbound(stream, options))
    encrypter.secureOutbound = async (stream, options) => patient(await outbound(stream, options))
    return encrypter
  }
}

/** No frame is longer: one whose length is not there yet is taken for such a one, and waited for. */
const FRAME_BYTES_MAX = 0xffff

function patient<Secured extends { readonly connection: object }>(secured: Secured): Secured {
  const { connection } = secured
  if (hasDecoder(connection)) {
    connection.decoder.lengthDecoder = (bytes) => (bytes.byteLength < 2 ? FRAME_BYTES_MAX : bytes.getUint16(0))
  }
  return secured
}

interface Decoder {
  lengthDecoder: (bytes: { readonly byteLength: number; getUint16(at: number): number }) => number
}

function hasDecoder(connection: object): connection is { readonly decoder: Decoder } {
  return (
    'decoder' in connection &&
    typeof connection.decoder === 'object' &&
    connection.decoder !== null &&
    'lengthDecoder' in connection.decoder &&
    typeof connection.decoder.lengthDecoder === 'function'
  )
}

const keys = new WeakMap<Uint8Array, KeyObject>()

function prepared(key: Uint8Array): KeyObject {
  const known = keys.get(key)
  if (known !== undefined) return known
  const fresh = createSecretKey(key)
  keys.set(key, fresh)
  return fresh
}

function seal(data: Parts, nonce: Uint8Array, extra: Uint8Array, key: Uint8Array): Uint8Array {
  const cipher = createCipheriv(ALGORITHM, prepared(key), nonce, { authTagLength: TAG_BYTES })
  if (extra.length > 0) cipher.setAAD(extra, { plaintextLength: data.byteLength })
  const sealed = new Uint8Array(data.byteLength + TAG_BYTES)
  sealed.set(cipher.update(data.subarray()))
  cipher.final()
  sealed.set(cipher.getAuthTag(), data.byteLength)
  return sealed
}

/** Throws where the tag does not fit. */
function open(data: Parts, nonce: Uint8Array, extra: Uint8Array, key: Uint8Array): Uint8Array {
  const sealed = data.subarray()
  const end = sealed.length - TAG_BYTES
  const decipher = createDecipheriv(ALGORITHM, prepared(key), nonce, { authTagLength: TAG_BYTES })
  if (extra.length > 0) decipher.setAAD(extra, { plaintextLength: end })
  decipher.setAuthTag(sealed.subarray(end))
  const plain = decipher.update(sealed.subarray(0, end))
  decipher.final()
  return plain
}

function hasCiphers(encrypter: object): encrypter is { readonly crypto: { encrypt: Cipher; decrypt: Cipher } } {
  return (
    'crypto' in encrypter &&
    typeof encrypter.crypto === 'object' &&
    encrypter.crypto !== null &&
    'encrypt' in encrypter.crypto &&
    typeof encrypter.crypto.encrypt === 'function' &&
    'decrypt' in encrypter.crypto &&
    typeof encrypter.crypto.decrypt === 'function'
  )
}
