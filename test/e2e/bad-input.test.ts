/** What a user gets wrong: a clear message, the right exit code, no stack trace, and nothing measured is lost. */

import { execFileSync } from 'node:child_process'
import { mkdir, readdir, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rendezvousDir } from '../../src/cli/mesh-options.ts'
import { createMesh } from '../../src/mesh/mod.ts'
import { Cluster } from './cluster.ts'

const CLIENT = {
  name: 'bomber',
  listen: [],
  join: [],
  secret: null,
  insecure: false,
  mdns: false,
  role: 'client',
  version: '0.0.0',
} as const

const GOOD = `
target: null:///x/
concurrency: 2
duration: 1s
workload: [{ op: put, path: 'a/', object_size: 4KiB, weight: 1 }]
`

let cluster: Cluster
beforeAll(async () => {
  cluster = await Cluster.create()
  await writeFile(path.join(cluster.folder, 'good.yaml'), GOOD)
})
afterAll(async () => {
  await cluster[Symbol.asyncDispose]()
})

async function refused(args: readonly string[], exit: number, words: RegExp): Promise<void> {
  const program = cluster.command(args)
  const { code } = await program.ended
  expect(program.stderr).toMatch(words)
  expect(program.stderr).not.toMatch(/^\s+at .+:\d+:\d+\)?$/m)
  expect({ code, stdout: program.stdout }).toEqual({ code: exit, stdout: '' })
}

const PLANS: readonly [name: string, yaml: string, words: RegExp][] = [
  ['syntax', 'target: null:///x/\n  foo: [\n', /syntax\.yaml:1:/],
  ['unknown key', 'target: null:///x/\nconcurency: 3\n', /:2:1: unknown key "concurency"; did you mean "concurrency"/],
  ['a negative number', GOOD.replace('concurrency: 2', 'concurrency: -2'), /:3:14: concurrency must be .*-2/],
  ['a negative size', GOOD.replace('4KiB', '-4'), /object_size must be a size such as 4KiB, not -4/],
  ['no stages', 'target: null:///x/\ndistributed: { stages: [] }\n', /distributed\.stages is empty/],
  [
    'a duplicate order',
    'target: null:///x/\ndistributed:\n  stages:\n    - { name: a, order: 1, type: validation }\n' +
      '    - { name: b, order: 1, type: cleanup }\n',
    /:5:\d+: .*order: 1 is the order of "a" already/,
  ],
  ['not text', '\u0000\u0001\u0002', /.+/],
]

describe('plans', () => {
  it.each(PLANS)('%s is refused with its place', async (name, yaml, words) => {
    const file = path.join(cluster.folder, `${name.replaceAll(' ', '-')}.yaml`)
    await writeFile(file, yaml)
    await refused(['validate', file], 2, words)
  })

  it('with --json the refusal is one document', async () => {
    const file = path.join(cluster.folder, 'refused.yaml')
    await writeFile(file, 'nonsense: 1\n')
    const program = cluster.command(['run', file, '--json'])
    expect((await program.ended).code).toBe(2)
    expect(JSON.parse(program.stdout)).toEqual({
      error: { code: expect.stringMatching(/^[A-Z_]+$/), message: expect.stringContaining('"nonsense"') },
      exit: 2,
    })
  })

  it('a gigabyte is refused before it is read', async () => {
    const file = path.join(cluster.folder, 'big.yaml')
    await writeFile(file, '')
    await truncate(file, 2 ** 30)
    await refused(['run', file], 2, /has 1073741824 bytes, a plan may have at most \d+/)
  })

  it('a plan that is not there', async () => {
    await refused(['run', 'nowhere.yaml'], 2, /nowhere\.yaml: there is no such file/)
  })
})

it('a node that is handed bombs refuses each and goes on', async () => {
  const peer = cluster.start('bombed')
  await cluster.until('it listens', () => cluster.of('leader.elected', 'bombed').length > 0)
  const client = await createMesh({ ...CLIENT, runId: cluster.runId, rendezvousDir: rendezvousDir() })
  await new Promise<void>((resolve) => client.onEvent(({ type }) => type === 'peer_joined' && resolve()))
  const bombs = ['['.repeat(900_000), '<<: *a\n'.repeat(120_000), '- a\n'.repeat(200_000), `a: ${'9'.repeat(900_000)}`]
  const target = client.peers().find(({ name }) => name === 'bombed')?.peerId ?? ''
  for (const yaml of bombs) {
    const channel = await client.openClient(target, AbortSignal.timeout(20_000))
    await channel.send({ type: 'submit', yaml, agents: null, submission: 'a-bomb-of-ours', after: -1 })
    const answers = []
    for await (const document of channel.documents) answers.push(JSON.stringify(document))
    expect(answers.at(-1)).toMatch(/"code":"PLAN_(SYNTAX|INVALID)"/)
    expect(answers.join('').length).toBeLessThan(20_000)
  }
  await client.close()
  expect(cluster.of('node.warning', 'bombed')).toEqual([])
  peer.kill('SIGTERM')
  expect(await peer.ended).toEqual({ code: 0, signal: null })
})

describe('flags', () => {
  it.each([
    [['node', '--runid', 'x'], /--runid.*did you mean --run-id/],
    [['node'], /needs --run-id/],
    [['frobnicate'], /Unknown command "frobnicate"/],
    [['node', '--run-id', 'x', '--listen', 'banana'], /--listen: must be a multiaddr/],
    [['node', '--run-id', 'bad id!'], /--run-id: must be/],
    [['node', '--run-id', 'x', '--listen', '0.0.0.0:0'], /--secret-file .*--insecure/],
    [['node', '--run-id', 'x', '--insecure', '--listen', '192.0.2.1:4001'], /no address of this host/],
    [['node', '--run-id', 'x', '--join', '/foo/bar'], /"\/foo\/bar" is no multiaddr/],
    [['node', '--run-id', 'x', '--secret-file', 'good.yaml'], /good\.yaml is not a key file/],
    // At once: no peer is started, nothing is left behind.
    [['run', 'good.yaml', '--secret-file', 'good.yaml'], /^(warning: .*\n)?paceline: good\.yaml is not a key file/],
    [['run', 'good.yaml', '--allow', 'data'], /--allow: must be a full path/],
    [['run', 'good.yaml', '--agents', 'zero'], /--agents: must be a whole number/],
    [['run', 'good.yaml', '--out', '/dev/null/x'], /Cannot write results to \/dev\/null\/x.*--out/],
    [['node', '--run-id', 'x', '--out', '/proc/x'], /Cannot write results to \/proc\/x.*--out/],
  ])('%j', async (args, words) => {
    await refused(args, 2, words)
  })
})

it('no temp directory: local peers have no place, others say that nobody finds them there', async () => {
  const env = { TMPDIR: '/proc/x' }
  const run = cluster.command(['run', 'good.yaml'], { env })
  expect((await run.ended).code).toBe(2)
  expect(run.stderr).toMatch(/no place for their logs .*\/proc.*: set TMPDIR .*\[SCRATCH_UNWRITABLE\]/)
  const submit = cluster.command(['submit', 'good.yaml', '--run-id', cluster.runId, '--no-mdns', '--wait', '1'], {
    env,
  })
  expect((await submit.ended).code).toBe(4)
  expect(submit.stderr).toMatch(
    /^warning: Peers of this host cannot find each other at \/proc\/x.*--peer, or set TMPDIR/,
  )
})

it('nobody there: exit 4 and what to look at', async () => {
  await refused(['submit', 'good.yaml', '--run-id', cluster.runId, '--no-mdns'], 4, /No peer of run .*--peer/)
})

it('a port in use is named', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.on('listening', resolve))
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  const listen = `/ip4/127.0.0.1/tcp/${port}`
  await refused(['node', '--run-id', cluster.runId, '--listen', listen], 2, /port is in use; choose another/)
  server.close()
})

it('the secret of the environment makes the mesh of local peers private', async () => {
  const key = path.join(cluster.folder, 'run.key')
  expect((await cluster.command(['keygen', key]).ended).code).toBe(0)
  const program = cluster.command(['run', 'good.yaml', '--agents', '1'], { env: { PACELINE_SECRET_FILE: key } })
  expect(await program.ended).toEqual({ code: 0, signal: null })
  expect(program.stdout).toMatch(/completed/)
})

const FILES = (target: string) => `
target: ${target}
concurrency: 2
duration: 1s
prepare:
  ensure_objects: [{ base_uri: ${target}data/, count: 64, size: 64KiB }]
workload: [{ op: get, path: 'data/*', weight: 1 }]
`

describe('targets', () => {
  async function run(yaml: string, flags: readonly string[] = []) {
    const file = path.join(cluster.folder, `targets-${Math.random()}.yaml`)
    await writeFile(file, yaml)
    const program = cluster.command(['run', file, '--agents', '2', ...flags])
    const { code } = await program.ended
    expect(program.stdout + program.stderr).not.toMatch(/^\s+at .+:\d+:\d+\)?$/m)
    return { code, text: program.stdout + program.stderr }
  }

  it('one that is not allowed is a failed validation that names the flag', async () => {
    const { code, text } = await run(FILES('file:///etc/paceline-no/'))
    expect(text).toMatch(/outside of what this node may touch: start it with --allow file:\/\/\/etc\/paceline-no/)
    expect(code).toBe(1)
  })

  const swapping = (folder: string, outside: string) => `
target: file://${folder}/data/
concurrency: 2
distributed:
  stages:
    - { name: check, order: 1, type: validation }
    - { name: fill, order: 2, type: prepare, ensure_objects: [{ base_uri: file://${folder}/data/, count: 8, size: 4KiB }] }
    - name: swap
      order: 3
      type: custom
      command: sh
      args: ['-c', 'mkdir ${folder}/once || exit 0; mv ${folder}/data ${folder}/moved; ln -s ${outside} ${folder}/data']
    - { name: write, order: 4, type: execute, duration: 1s, workload: [{ op: put, path: '', object_size: 4KiB }] }
    - { name: clean, order: 5, type: cleanup }
`

  it('commands that are not allowed fail the validation, which names the flag', async () => {
    const { code, text } = await run(swapping(`${cluster.folder}/data`, '/nowhere'), ['--allow', cluster.target])
    expect(text).toMatch(/1 check[\s\S]*start it with --allow-exec to allow it/)
    expect(text).not.toContain('stage 2 of 5')
    expect(code).toBe(1)
  })

  it('one that a command replaces by a link is not followed', async () => {
    const [folder, outside] = [path.join(cluster.folder, 'swapped'), path.join(cluster.folder, 'outside')]
    await Promise.all([mkdir(folder), mkdir(outside)])
    await writeFile(path.join(outside, 'prepared-00000000.dat'), 'not ours')
    const flags = ['--allow', `file://${folder}/`, '--allow-exec']
    const { code, text } = await run(swapping(folder, outside), flags)
    expect(text).toMatch(/4 write[\s\S]*outside of what this node may touch: start it with --allow file:/)
    expect(code).toBe(1)
    expect(await readdir(outside)).toEqual(['prepared-00000000.dat'])
  })

  it.runIf(process.getuid?.() === 0)(
    'a full one: seen by the validation, else by the op; figures are kept',
    async () => {
      const folder = path.join(cluster.folder, 'small')
      await mkdir(folder)
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder])
      const target = `file://${folder}/`
      const stages = `
target: ${target}
concurrency: 2
distributed:
  stages:
    - { name: listing, order: 1, type: execute, duration: 1s, workload: [{ op: list, path: '', weight: 1 }] }
    - { name: fill, order: 2, type: prepare, ensure_objects: [{ base_uri: ${target}data/, count: 64, size: 64KiB }] }
`
      try {
        const validated = await run(FILES(target), ['--allow', target])
        // The other agent may be trying to write just then: one page less.
        expect(validated.text).toMatch(/(1\.0 MiB|1020\.0 KiB) free, the plan stores up to 4\.0 MiB/)
        const written = await run(stages, ['--allow', target])
        expect(written.text).toMatch(/1 listing +\| +complete +\| +2 of 2 agents/)
        expect(written.text).toMatch(/ENOSPC|no space/i)
        expect([validated.code, written.code]).toEqual([1, 1])
      } finally {
        execFileSync('umount', ['-l', folder])
      }
    },
  )

  it.runIf(process.getuid?.() === 0)('a read-only one fails the validation', async () => {
    const folder = path.join(cluster.folder, 'readonly')
    await mkdir(folder)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=1m', 'tmpfs', folder])
    try {
      const { code, text } = await run(FILES(`file://${folder}/`), ['--allow', `file://${folder}/`])
      expect(text).toMatch(/read-only|EROFS/i)
      expect(code).toBe(1)
    } finally {
      execFileSync('umount', ['-l', folder])
    }
  })

  it('objects that vanish between list and get are errors of that op, not of the run', async () => {
    const target = cluster.target
    const vanishing = `
target: ${target}
concurrency: 2
distributed:
  stages:
    - name: fill
      order: 1
      type: prepare
      ensure_objects: [{ base_uri: ${target}data/, count: 200, size: 4KiB }]
    - { name: read, order: 2, type: execute, duration: 1s, workload: [
        { op: get, path: 'data/*', weight: 1 }, { op: delete, path: 'data/*', weight: 1 } ] }
`
    const { code, text } = await run(vanishing, ['--allow', target])
    expect(text).toMatch(/2 of 2 agents/)
    expect(code).toBe(0)
  })
})
