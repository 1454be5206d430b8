/** Who may look at a node's pages. */

import { describe, expect, it } from 'vitest'
import { type Gate, isLoopback, judge, type Verdict, type Visitor } from '../../src/cli/http/access.ts'

const TOKEN = 'a-token-of-the-operator'
const LOCAL: Gate = { loopback: true, token: null, port: 9464 }
const OPEN: Gate = { loopback: false, token: TOKEN, port: 9464 }

function ask(gate: Gate, visitor: Partial<Visitor> = {}, path = '/'): Verdict {
  const url = new URL(path, 'http://localhost')
  return judge({ host: '127.0.0.1:9464', authorization: undefined, cookie: undefined, url, ...visitor }, gate)
}

describe('on loopback', () => {
  it.each(['127.0.0.1:9464', '127.0.0.1', '127.9.8.7:1', 'localhost:9464', 'LOCALHOST', '[::1]:9464'])(
    '%s is welcome',
    (host) => {
      expect(ask(LOCAL, { host }).kind).toBe('welcome')
    },
  )

  it.each([
    'evil.example',
    'evil.example:9464',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '10.0.0.1',
    '',
    '[::2]',
    'a b',
  ])('"%s" is not', (host) => {
    expect(ask(LOCAL, { host })).toMatchObject({ kind: 'refused', status: 403 })
  })

  it('a request without a host is not', () => {
    expect(ask(LOCAL, { host: undefined })).toMatchObject({ kind: 'refused', status: 403 })
  })
})

describe('with a token', () => {
  const host = 'bench-7.example:9464'

  it('nobody without it', () => {
    for (const authorization of [undefined, '', 'Bearer', 'Bearer wrong', `Basic ${TOKEN}`, `Bearer ${TOKEN}x`]) {
      expect(ask(OPEN, { host, authorization })).toMatchObject({ kind: 'refused', status: 401 })
    }
    expect(ask(OPEN, { host }, '/?token=wrong')).toMatchObject({ kind: 'refused', status: 401 })
    expect(ask(OPEN, { host, cookie: `paceline-9464=${TOKEN}` })).toMatchObject({ kind: 'refused', status: 401 })
  })

  it('as a bearer', () => {
    expect(ask(OPEN, { host, authorization: `Bearer ${TOKEN}` }).kind).toBe('welcome')
  })

  it('in the address it becomes a cookie, of this port alone, and leaves the address', () => {
    const verdict = ask(OPEN, { host }, `/metrics?token=${TOKEN}`)
    if (verdict.kind !== 'signed_in') throw new Error(verdict.kind)
    expect(verdict.location).toBe('/metrics')
    expect(verdict.cookie).toMatch(/^paceline-9464=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Strict$/)
    const [cookie = ''] = verdict.cookie.split(';')
    expect(ask(OPEN, { host, cookie: `other=1; ${cookie}` }).kind).toBe('welcome')
    expect(ask({ ...OPEN, port: 9465 }, { host, cookie }).kind).toBe('refused')
    expect(ask({ ...OPEN, token: 'another' }, { host, cookie }).kind).toBe('refused')
  })

  it('never sends a browser to another host', () => {
    expect(ask(OPEN, { host, url: new URL(`http://evil.example/a?token=${TOKEN}`) })).toMatchObject({ location: '/a' })
    const verdict = ask(OPEN, { host, url: new URL(`http://localhost//evil.example/?token=${TOKEN}`) })
    expect(verdict.kind === 'signed_in' && verdict.location.startsWith('//')).toBe(false)
  })
})

it('loopback is this host, whatever it is called', () => {
  expect(['127.0.0.1', '127.255.0.3', '::1', 'localhost'].map(isLoopback)).toEqual([true, true, true, true])
  expect(['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example', 'example'].some(isLoopback)).toBe(false)
})
