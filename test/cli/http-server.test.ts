/** The server of the live view where what it shows fails. */

import { expect, it, vi } from 'vitest'
import { EventHub } from '../../src/cli/http/hub.ts'
import { startHttp } from '../../src/cli/http/mod.ts'

it('an answer that cannot be made is told to who asked and to the node', async () => {
  const server = await startHttp({ host: '127.0.0.1', port: 0, tokenFile: null })
  const told: unknown[] = []
  const broken = new Error('no such figure')
  const fail = () => {
    throw broken
  }
  expect((await fetch(`${server.url}/`)).status).toBe(503)
  server.open(new Map([['/', fail]]), (error) => told.push(error))
  const response = await fetch(`${server.url}/`)
  expect([response.status, await response.text()]).toEqual([500, expect.stringContaining('no such figure')])
  expect(told).toEqual([broken])
  await server.close()
})

it('a document that cannot be made costs who looks that document only, and the node nothing', async () => {
  const server = await startHttp({ host: '127.0.0.1', port: 0, tokenFile: null })
  const told: unknown[] = []
  const broken = new Error('no such figure')
  const document = (kind: 'report' | 'now') => {
    if (kind === 'report') throw broken
    return '{"fine":true}'
  }
  const hub = new EventHub({ kinds: ['report', 'now'], document, onDefect: (error) => told.push(error), tickMs: 10 })
  server.open(new Map([['/events', (request, response) => hub.connect(request, response)]]), () => {})
  const response = await fetch(`${server.url}/events`)
  expect(told).toEqual([broken])
  hub.changed('report')
  await vi.waitFor(() => expect(told).toEqual([broken, broken]))
  hub.close()
  expect(await response.text()).toContain('event: now\ndata: {"fine":true}')
  await server.close()
})
