/** How peers find each other, and that strangers stay apart. Real libp2p nodes on loopback. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { limits } from '../../src/mesh/limits.ts'
import { createMesh, generateSecret } from '../../src/mesh/mod.ts'
import { Rendezvous } from '../../src/mesh/rendezvous.ts'
import { checkIntroduction, type Introduction } from '../../src/mesh/wire.ts'
import { Attacker } from './attacker.ts'
import { barrierPlan, Walk } from './barriers.ts'
import { led, met, type TestPeer, World } from './helpers.ts'

describe('rendezvous on one host', () => {
  it('peers of one run find each other, a late joiner too, and one of them leads', async () => {
    await using world = await World.create()
    const first = [await world.peer('a'), await world.peer('b')]
    await met(first)
    const all = [...first, await world.peer('late')]
    await met(all)
    await led(all)
  })

  it('a peer that was there long is found, although the temp directory was cleaned', async () => {
    await using world = await World.create()
    const a = await world.peer('a')
    const [folder = ''] = await readdir(world.rendezvousDir)
    await rm(path.join(world.rendezvousDir, folder), { recursive: true })
    const b = await world.peer('b')
    await met([a, b])
  })

  it('the last peer to leave removes the folder of the run, and who still looks finds those who come later', async () => {
    await using world = await World.create()
    const client = await world.peer('client', { role: 'client' })
    const [a, b] = [await world.peer('a'), await world.peer('b')]
    await client.until('it has met both', () => client.connected().length === 2)
    const [folder = ''] = await readdir(world.rendezvousDir)
    await a.mesh.leave()
    expect(await readdir(world.rendezvousDir)).toEqual([folder])
    await b.mesh.leave()
    await world.peer('c')
    await client.until('it has met c', () => client.connected().includes('c'))
    await client.mesh.close()
    await world.peers.at(-1)?.mesh.leave()
    expect(await readdir(world.rendezvousDir)).toEqual([])
  })

  it('a folder that cannot be used is told, and costs no more than that', async () => {
    await using world = await World.create()
    const file = path.join(world.folder, 'file')
    await writeFile(file, '')
    const a = await world.peer('a', { rendezvousDir: path.join(file, 'peers') })
    expect(a.of('trouble')).toMatchObject([{ error: { code: 'MESH_RENDEZVOUS' } }])
    const b = await world.peer('b', { join: [a.address] })
    await met([a, b])
  })

  it('peers of different runs never meet', async () => {
    await using world = await World.create()
    const [a, b, other, another] = [
      await world.peer('a'),
      await world.peer('b'),
      await world.peer('other', { runId: `${world.runId}-other` }),
      await world.peer('another', { runId: `${world.runId}-other` }),
    ]
    await met([a, b])
    await met([other, another])
    expect(a.connected()).toEqual(['b'])
    expect(other.connected()).toEqual(['another'])
  })

  it('removes what dead processes left and ignores what is no entry', async () => {
    await using world = await World.create()
    const a = await world.peer('a')
    const [folder] = await readdir(world.rendezvousDir)
    const place = path.join(world.rendezvousDir, folder ?? '')
    const [own = ''] = await readdir(place)
    const entry = JSON.parse(await readFile(path.join(place, own), 'utf8'))
    // Larger than any process ID that Linux gives.
    const dead = { ...entry, pid: 2 ** 30, peer: 'QmNobody', addrs: ['/ip4/127.0.0.1/tcp/9'] }
    await writeFile(path.join(place, 'dead.json'), JSON.stringify(dead))
    await writeFile(path.join(place, 'broken.json'), '{"pid": 1, "peer"')
    await writeFile(path.join(place, 'huge.json'), `"${'x'.repeat(1024 * 1024)}"`)
    await writeFile(
      path.join(place, 'strange.json'),
      JSON.stringify({ ...entry, peer: 'no peer ID', addrs: ['nowhere'] }),
    )
    await mkdir(path.join(place, 'folder.json'))
    const b = await world.peer('b')
    await met([a, b])
    expect(await readdir(place)).not.toContain('dead.json')
  })
})

it('a peer is gone with its process, although what it left cannot be removed', async () => {
  await using world = await World.create()
  await world.peer('a')
  const [folder = ''] = await readdir(world.rendezvousDir)
  const place = path.join(world.rendezvousDir, folder)
  const [own = ''] = await readdir(place)
  const entry = JSON.parse(await readFile(path.join(place, own), 'utf8'))
  const child = spawn('sleep', ['60'])
  const left = path.join(place, 'other.json')
  await writeFile(left, JSON.stringify({ ...entry, pid: child.pid, peer: 'other' }))
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  try {
    const gone: string[] = []
    const events = { onFound: () => undefined, onGone: (peer: string) => void gone.push(peer) }
    const rendezvous = new Rendezvous(world.rendezvousDir, world.runId, 'me', events)
    await rendezvous.open(null)
    child.kill()
    await once(child, 'exit')
    // Even root cannot remove a folder as a file. Both at once: nobody sees the file gone in between.
    rmSync(left)
    mkdirSync(left)
    vi.advanceTimersByTime(limits.rendezvousRescanMs)
    await vi.waitFor(() => expect(gone).toEqual(['other']))
    await rendezvous.close()
  } finally {
    vi.useRealTimers()
  }
})

it('what others call a peer leads nowhere but into the folder of the run', async () => {
  await using world = await World.create()
  await world.peer('a')
  const [folder = ''] = await readdir(world.rendezvousDir)
  const [own = ''] = await readdir(path.join(world.rendezvousDir, folder))
  const entry = JSON.parse(await readFile(path.join(world.rendezvousDir, folder, own), 'utf8'))
  const outside = path.join(world.rendezvousDir, 'outside')
  await mkdir(outside)
  await writeFile(path.join(outside, 'dead.json'), JSON.stringify({ ...entry, pid: 2 ** 30 }))
  await writeFile(path.join(outside, 'alive.json'), JSON.stringify({ ...entry, pid: process.pid }))
  const found: string[] = []
  const events = { onFound: ({ peer }: { peer: string }) => void found.push(peer), onGone: () => undefined }
  const rendezvous = new Rendezvous(world.rendezvousDir, world.runId, 'me', events)
  await rendezvous.open(null)
  for (const name of ['../outside/dead', '../outside/alive', path.join(outside, 'alive')]) rendezvous.lookFor(name)
  await rendezvous.close()
  expect(found).toEqual([entry.peer])
  expect((await readdir(outside)).sort()).toEqual(['alive.json', 'dead.json'])
})

describe('many peers on one host', () => {
  /** Both ends are in this process. */
  const connections = () => process.getActiveResourcesInfo().filter((name) => name.includes('TCPSocket')).length / 2
  const count = 18

  it('know each other, connect to a few, and to the one that leads their plan', async () => {
    await using world = await World.create()
    const peers: TestPeer[] = []
    for (let at = 1; at <= count; at += 1) peers.push(await world.peer(`p${at}`))
    await met(peers)
    await led(peers)
    expect(connections()).toBeLessThan((count * (count - 1)) / 2 - count)
    peers[0]?.mesh.submit(
      barrierPlan(
        peers.map(({ name }) => name),
        2,
      ),
    )
    await new Walk(peers).completed()
    expect(connections()).toBeLessThan((count * (count - 1)) / 2 - count)
  })

  it('all hear of it when one leaves', async () => {
    await using world = await World.create()
    const peers: TestPeer[] = []
    for (let at = 1; at <= count; at += 1) peers.push(await world.peer(`p${at}`))
    await met(peers)
    const [leaving, ...rest] = peers
    await leaving?.mesh.leave()
    await Promise.all(rest.map((peer) => peer.until('p1 is gone', () => !peer.connected().includes('p1'))))
  })

  it('of another secret are no peers, whatever they leave in the folder', async () => {
    await using world = await World.create()
    const listen = ['/ip4/127.0.0.1/tcp/0']
    const secretOf = () => new TextEncoder().encode(generateSecret())
    const [ours, theirs] = [secretOf(), secretOf()]
    const mine: TestPeer[] = []
    for (let at = 1; at <= 10; at += 1) mine.push(await world.peer(`m${at}`, { secret: ours, listen }))
    const other = await world.peer('other', { secret: theirs, listen })
    await met(mine)
    await led(mine)
    expect(other.connected()).toEqual([])
    for (const peer of mine) expect(peer.connected()).not.toContain('other')
  })
})

it('a plan that names its agents is refused while two peers have one of these names, until one of them is gone', async () => {
  await using world = await World.create()
  const [a, b, twin] = [await world.peer('a'), await world.peer('b'), await world.peer('b')]
  for (const peer of [a, b, twin]) await peer.until('it has met both', () => peer.connected().length === 2)
  await led([a, b, twin])
  a.mesh.submit({ ...barrierPlan(['a', 'b'], 1, 'first'), agentReadyTimeoutMs: 300 })
  await a.until('the plan is refused', () => a.of('submit_outcome').length > 0)
  const outcome = a.of('submit_outcome')[0]?.outcome
  expect(outcome).toMatchObject({ status: 'refused', detail: expect.stringContaining('another --name') })
  for (const { mesh } of [b, twin]) expect(JSON.stringify(outcome)).toContain(mesh.peerId)
  a.mesh.submit(barrierPlan(['a', 'b'], 1, 'second'))
  const walk = new Walk([a, b])
  await twin.mesh.leave()
  await walk.completed()
})

describe('--join', () => {
  it('one address is enough: peers learn of the others from each other', async () => {
    await using world = await World.create()
    const hub = await world.peer('hub', { rendezvousDir: null })
    const join = [hub.address]
    const others = await Promise.all(['x', 'y', 'z'].map((name) => world.peer(name, { rendezvousDir: null, join })))
    await met([hub, ...others])
  })

  it('tells who was here before of who comes later, once', async () => {
    await using world = await World.create()
    const hub = await world.peer('hub', { rendezvousDir: null })
    await using first = await Attacker.create()
    await using second = await Attacker.create()
    await using client = await Attacker.create()
    const introductions: Introduction[] = []
    const { promise: introduced, resolve } = Promise.withResolvers<void>()
    first.onDocument = (document) => {
      const { ok, value } = { value: undefined, ...checkIntroduction(document) }
      if (!ok || value === undefined) return
      introductions.push(value)
      resolve()
    }
    // Nobody listens there.
    const addrs = ['/ip4/127.0.0.1/tcp/9']
    await first.join(hub.address, world.runId, { name: 'first', addrs })
    await hub.until('the first one is there', () => hub.connected().includes('first'))
    await client.join(hub.address, world.runId, { name: 'client', role: 'client' })
    await second.join(hub.address, world.runId, { name: 'second', addrs })
    await introduced
    await hub.until('the client is there', () => hub.connected().includes('client'))
    expect(introductions).toEqual([{ type: 'introduction', peers: [{ peer: second.peerId, addrs }] }])
  })

  it('may name a peer that is not there yet, and one that went and came back', async () => {
    await using world = await World.create()
    const hub = await world.peer('hub', { rendezvousDir: null })
    const listen = hub.address.split('/p2p/')[0] ?? ''
    await hub.mesh.close()
    const early = await world.peer('early', { rendezvousDir: null, join: [listen] })
    expect((await early.untilRefused('join')).from).toBe(listen)
    const again = await world.peer('hub', { rendezvousDir: null, listen: [listen] })
    await met([early, again])
    await again.mesh.leave()
    await early.until('the hub is gone', () => early.connected().length === 0)
    const third = await world.peer('hub', { rendezvousDir: null, listen: [listen] })
    await met([early, third])
    const incarnations = early.of('peer_joined').map(({ peer }) => peer.incarnation)
    expect(new Set(incarnations).size).toBe(2)
  })

  it('a peer of another run is turned away and named', async () => {
    await using world = await World.create()
    const a = await world.peer('a', { rendezvousDir: null })
    const stranger = await world.peer('s', {
      runId: `${world.runId}-other`,
      rendezvousDir: null,
      join: [a.address],
    })
    const refused = await a.untilRefused('hello')
    expect(refused).toMatchObject({ from: stranger.mesh.peerId, expected: `run ${world.runId}` })
    expect(refused.got).toBe(`run ${world.runId}-other`)
    expect(a.connected()).toEqual([])
  })
})

describe('privacy', () => {
  it('peers with the same secret meet, one with another secret or none does not', async () => {
    await using world = await World.create()
    const secret = new TextEncoder().encode(generateSecret())
    const listen = ['/ip4/127.0.0.1/tcp/0']
    const a = await world.peer('a', { secret, listen })
    const b = await world.peer('b', { secret, listen })
    const wrong = await world.peer('wrong', {
      secret: new TextEncoder().encode(generateSecret()),
      listen,
      rendezvousDir: null,
      join: [a.address],
    })
    const none = await world.peer('none', { rendezvousDir: null, join: [a.address] })
    await met([a, b])
    expect((await wrong.untilRefused('join')).got).not.toBe('')
    expect((await none.untilRefused('join')).got).not.toBe('')
    expect(a.connected()).toEqual(['b'])
  })

  it('without a secret a node listens on loopback only, unless it is told that the network is trusted', async () => {
    await using world = await World.create()
    const a = await world.peer('a')
    expect(a.mesh.addrs().every((address) => address.startsWith('/ip4/127.0.0.1/'))).toBe(true)
    const open = { listen: ['/ip4/0.0.0.0/tcp/0'], rendezvousDir: null }
    await expect(world.peer('b', open)).rejects.toMatchObject({ code: 'MESH_NOT_PRIVATE' })
    await expect(world.peer('b', { listen: ['/ip6/::/tcp/0'] })).rejects.toMatchObject({ code: 'MESH_NOT_PRIVATE' })
    const c = await world.peer('c', { ...open, insecure: true })
    expect(c.mesh.addrs().length).toBeGreaterThan(0)
  })

  it('what is no key file is refused without showing it', async () => {
    await using world = await World.create()
    const secret = new TextEncoder().encode('correct horse battery staple')
    const failure = await world.peer('a', { secret }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'MESH_SECRET' })
    expect(String(failure)).not.toContain('horse')
  })
})

describe('options', () => {
  const options = {
    runId: 'r',
    name: 'a',
    listen: [],
    join: [],
    secret: null,
    insecure: false,
    mdns: false,
    rendezvousDir: null,
    role: 'agent',
    version: '0.0.0',
  } as const

  it.each([
    [{ name: '../up' }, 'MESH_NAME'],
    [{ name: '' }, 'MESH_NAME'],
    [{ runId: 'a b' }, 'MESH_RUN_ID'],
    [{ listen: ['127.0.0.1:80'] }, 'MESH_ADDRESS'],
    [{ join: ['somewhere'] }, 'MESH_ADDRESS'],
  ])('%j is refused with %s', async (wrong, code) => {
    await expect(createMesh({ ...options, ...wrong })).rejects.toMatchObject({ code })
  })

  it('a port in use is named', async () => {
    await using world = await World.create()
    const a = await world.peer('a')
    const listen = [a.address.split('/p2p/')[0] ?? '']
    const failure = await world.peer('b', { listen }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'MESH_PORT_IN_USE' })
    expect(String(failure)).toContain('--listen')
  })
})
