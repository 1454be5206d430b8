/** What goes over the wire comes out the same; what is no message of the protocol is refused with the reason. */

import { describe, expect, it } from 'vitest'
import { barrierLimits } from '../../src/barrier/mod.ts'
import { decodeBody, encodeFrame, FrameReader, headerBytes } from '../../src/mesh/frames.ts'
import { limits } from '../../src/mesh/limits.ts'
import { checkGossip, checkHello, checkIntroduction, checkMessage } from '../../src/mesh/wire.ts'
import { decisions, hello, messages } from './samples.ts'

const bodyOf = (document: unknown) => encodeFrame(document).subarray(headerBytes)

describe('messages', () => {
  it.each(messages.map((message) => [message.type, message] as const))('%s comes out as it went in', (_, message) => {
    expect(checkMessage(decodeBody(bodyOf(message)))).toEqual({ ok: true, value: message })
  })

  it.each(Object.entries(decisions))('a %s decision comes out as it went in', (_, decision) => {
    const message = { type: 'decision', decision, startAt: null }
    expect(checkMessage(decodeBody(bodyOf(message)))).toEqual({ ok: true, value: message })
  })

  it('hello and gossip come out as they went in', () => {
    expect(checkHello(decodeBody(bodyOf(hello)))).toEqual({ ok: true, value: hello })
    for (const message of messages) {
      const document = { type: 'message', run: 'r1', incarnation: 'e1', number: 7, message }
      expect(checkGossip(decodeBody(bodyOf(document)))).toEqual({ ok: true, value: document })
    }
  })

  it.each([
    ['no object', 7],
    ['an unknown type', { type: 'obey' }],
    ['a field too many', { type: 'leave', now: true }],
    ['a field too few', { type: 'handover' }],
    ['a negative term', { type: 'handover', ballot: { term: -1, peer: 'a' } }],
    ['a term with a fraction', { type: 'handover', ballot: { term: 1.5, peer: 'a' } }],
    ['a term beyond all terms', { type: 'handover', ballot: { term: 2 ** 53, peer: 'a' } }],
    ['an endless ID', { type: 'handover', ballot: { term: 1, peer: 'a'.repeat(1000) } }],
    ['a sequence beyond all stages', { type: 'catchup', plan: { number: 1, uid: 'u' }, sequence: 1e6 }],
    ['another incarnation of Object', JSON.parse('{"type":"leave","__proto__":{"x":1}}')],
  ])('%s is refused, with where', (_, document) => {
    const checked = checkMessage(document)
    expect(checked.ok).toBe(false)
    if (!checked.ok) expect(checked.fault.length).toBeGreaterThan(0)
  })

  it('an address as long as a frame is refused without a look at it', () => {
    const peers = [{ peer: 'p', addrs: ['/tcp/1'.repeat(limits.frameBytesMax / 6)] }]
    const before = process.cpuUsage()
    expect(checkIntroduction({ type: 'introduction', peers }).ok).toBe(false)
    // Parsed, it takes seconds.
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(500)
  })

  it('a result larger than allowed is refused', () => {
    const ready = messages.find(({ type }) => type === 'ready')
    expect(checkMessage({ ...ready, payload: 'x'.repeat(barrierLimits.payloadCharsMax) }).ok).toBe(true)
    expect(checkMessage({ ...ready, payload: 'x'.repeat(barrierLimits.payloadCharsMax + 1) }).ok).toBe(false)
  })
})

describe('frames', () => {
  it('are put together from any pieces', () => {
    const documents = [...messages, 'ü€😀'.repeat(1000), null, []]
    const frames = documents.map((document) => encodeFrame(document))
    const all = Buffer.concat(frames)
    for (const size of [1, 3, 7, 64, 1000, all.length]) {
      const reader = new FrameReader(all.length)
      const bodies: Uint8Array[] = []
      for (let at = 0; at < all.length; at += size)
        for (const body of reader.push(all.subarray(at, at + size))) bodies.push(body)
      expect(bodies.map((body) => decodeBody(body))).toEqual(documents)
    }
  })

  it('one that announces more than allowed is refused before it is there', () => {
    const reader = new FrameReader(1000)
    expect([...reader.push(new Uint8Array([0, 0, 3]))]).toEqual([])
    expect(() => [...reader.push(new Uint8Array([0xe9]))]).toThrow(RangeError)
  })

  it('bytes that are no UTF-8, or no JSON, throw', () => {
    expect(() => decodeBody(new Uint8Array([0xff, 0xfe]))).toThrow(TypeError)
    expect(() => decodeBody(new TextEncoder().encode('{"a":'))).toThrow(SyntaxError)
  })
})
