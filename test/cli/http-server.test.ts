/** The server of the live view where what it shows fails. */

import { expect, it } from 'vitest'
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
