/** The permissions that docs/many-hosts.md names for a peer on Deno: they suffice for a plan, and none is for nothing. */

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { generateSecret } from '../../src/mesh/mod.ts'
import { Cluster, hasDeno } from '../e2e/cluster.ts'
import { heldPlan } from '../e2e/plans.ts'

const root = path.resolve(import.meta.dirname ?? 'test/hosts', '../..')

/** The flags of the one `deno run` in the page, with its example's paths replaced by this run's. */
async function documentedFlags(cluster: Cluster, secret: string, out: string): Promise<string[]> {
  const page = await readFile(path.join(root, 'docs/many-hosts.md'), 'utf8')
  const command = /deno run ([\s\S]*?) \/opt\/paceline\/src\/cli\/main\.ts/.exec(page)?.[1]
  if (command === undefined) throw new Error('docs/many-hosts.md shows no "deno run"')
  return command
    .split(/[\s\\]+/)
    .filter((word) => word !== '')
    .map((word) =>
      word
        .replace('/opt/paceline', root)
        .replace('/etc/paceline/run.key', secret)
        .replaceAll('/mnt/bench', `${cluster.folder}/data`)
        .replaceAll('/var/lib/paceline', out)
        // What is linked there in a working copy.
        .replace(`--allow-read=${root}`, `--allow-read=${root},${path.join(root, 'node_modules')}`),
    )
}

interface Ready {
  readonly flags: readonly string[]
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
}

async function prepare(cluster: Cluster): Promise<Ready> {
  const [secret, out] = [path.join(cluster.folder, 'run.key'), cluster.outOf('deno')]
  await writeFile(secret, generateSecret(), { mode: 0o600 })
  await mkdir(out, { recursive: true })
  const flags = await documentedFlags(cluster, secret, out)
  return { flags, args: ['--listen', '127.0.0.1:0', '--no-rendezvous'], env: { PACELINE_SECRET_FILE: secret } }
}

describe.skipIf(!hasDeno)('a peer on Deno', () => {
  it('needs no more than the documented permissions for a plan', async () => {
    await using cluster = await Cluster.create()
    const { flags, args, env } = await prepare(cluster)
    expect(flags.join(' ')).not.toMatch(/-A\b|--allow-all|--allow-ffi|--allow-run(?!=)|--allow-env(?!=)/)
    cluster.start('deno', { runtime: 'deno', denoFlags: flags, args: ['--once', ...args], env, mdns: true })
    await cluster.until('it listens', () => cluster.of('node.listening').length > 0)
    const [address] = JSON.parse(JSON.stringify(cluster.of('node.listening')[0]?.addrs))
    cluster.start('node', { args: ['--once', ...args, '--join', address], env })
    await cluster.met()
    const submit = await cluster.submit(
      heldPlan(cluster, { policy: 'all_or_nothing' }),
      ['--agents', '2', '--peer', address],
      { env },
    )
    expect({ ...(await submit.ended), said: submit.stderr }).toMatchObject({ code: 0 })
    expect(await cluster.ended('deno')).toEqual({ code: 0, signal: null })
    expect(await cluster.decisions('deno')).toEqual(await cluster.decisions('node'))
    // Each led itself until they met: the one that gives way is told so.
    const rejected = cluster.of('message.rejected', 'deno').filter(({ reason }) => reason !== 'stale_term')
    expect(rejected).toEqual([])
    const results = await readFile(path.join(await cluster.results('deno'), 'summary.json'), 'utf8')
    expect(results).toContain('"completed"')
  })

  it('does not even start without one of those that it needs before any plan', async () => {
    await using cluster = await Cluster.create()
    const { flags, args, env } = await prepare(cluster)
    const needed = flags.filter((flag) => /read|net|env|sys/.test(flag))
    expect(needed.length).toBeGreaterThanOrEqual(4)
    const ends = needed.map(async (left) => {
      const denoFlags = flags.filter((flag) => flag !== left)
      const peer = cluster.start(`without${left}`.replace(/[^a-z-].*/, ''), { runtime: 'deno', denoFlags, args, env })
      return { left, code: (await peer.ended).code }
    })
    for (const { left, code } of await Promise.all(ends)) expect({ left, code }).not.toEqual({ left, code: 0 })
  })
})
