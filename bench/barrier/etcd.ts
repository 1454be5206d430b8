/** etcd's own barrier recipe: a key each; who completes the set writes the release key, which all watch. */

import { Etcd3 } from 'etcd3'
import { now } from './clock.ts'
import { goThrough, group, index, members, type Released } from './member.ts'

const client = new Etcd3({ hosts: (process.env.ETCD_HOSTS ?? '').split(',') })
const rounds = new Map<string, PromiseWithResolvers<Released>>()

function roundOf(round: string): PromiseWithResolvers<Released> {
  const known = rounds.get(round)
  if (known !== undefined) return known
  const fresh = Promise.withResolvers<Released>()
  rounds.set(round, fresh)
  return fresh
}

const watcher = await client.watch().prefix(`${group}/go/`).create()
watcher.on('put', ({ key }) => {
  const at = now()
  roundOf(key.toString().split('/').at(-1) ?? '').resolve({ releasedAt: at, startedAt: at })
})

goThrough(async (round) => {
  await client.put(`${group}/at/${round}/${index}`).value('')
  const arrived = await client.getAll().prefix(`${group}/at/${round}/`).count()
  if (arrived === members) await client.put(`${group}/go/${round}`).value('')
  const released = await roundOf(`${round}`).promise
  rounds.delete(`${round}`)
  return released
})
