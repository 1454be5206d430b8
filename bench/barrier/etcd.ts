/** etcd's own barrier recipe: a key each; who completes the set writes the release key, which all watch. */

import { Etcd3 } from 'etcd3'
import { goThrough, group, index, members } from './member.ts'

const client = new Etcd3({ hosts: (process.env.ETCD_HOSTS ?? '').split(',') })
const released = new Map<number, () => void>()
const full = new Set<number>()

const watcher = await client.watch().prefix(`${group}/go/`).create()
watcher.on('put', ({ key }) => {
  const round = Number(key.toString().split('/').at(-1))
  full.add(round)
  released.get(round)?.()
})

await goThrough(async (round) => {
  const release = new Promise<void>((resolve) => {
    if (full.has(round)) resolve()
    else released.set(round, resolve)
  })
  await client.put(`${group}/at/${round}/${index}`).value('')
  const arrived = await client.getAll().prefix(`${group}/at/${round}/`).count()
  if (arrived === members) await client.put(`${group}/go/${round}`).value('')
  await release
})
