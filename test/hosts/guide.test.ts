/** README.md, docs/many-hosts.md and examples/launchers, as somebody would follow them on three hosts. */

import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { parseCommandLine } from '../../src/cli/args.ts'
import { whyNoNamespaces } from './netns.ts'
import { root, StageSet } from './stage-set.ts'

const launchers = path.join(root, 'examples/launchers')
const skipped = whyNoNamespaces()

/** The page's lines with a prompt, in order: who types what. */
function typedLines(set: StageSet, file: string): { who: string; line: string }[] {
  const page = readFileSync(path.join(root, file), 'utf8').replace(/\\\n\s*/g, ' ')
  const lines = [...page.matchAll(/^(host\d|laptop)\$ (.*)$/gm)]
  return lines.map(([, who = '', line = '']) => ({ who, line: line.replace('file:///mnt/bench/', set.target) }))
}

function expectResults(set: StageSet, home: string, folder = 'results'): void {
  const [result = ''] = readdirSync(path.join(set.homeOf(home), folder))
  const summary = readFileSync(path.join(set.homeOf(home), folder, result, 'summary.json'), 'utf8')
  expect(JSON.parse(summary)).toMatchObject({ status: 'completed' })
}

describe.skipIf(skipped !== null)('on three hosts', () => {
  it.each(['README.md', 'docs/many-hosts.md'])('the commands of %s work as they are written', async (file) => {
    await using set = await StageSet.create(3)
    const typed = typedLines(set, file)
    expect(typed.length).toBeGreaterThanOrEqual(6)
    const met: Promise<void>[] = []
    for (const { who, line } of typed) {
      if (who !== 'laptop') {
        const peer = set.start(who, `exec ${line}`)
        let text = ''
        met.push(
          new Promise((resolve) => {
            peer.stdout?.setEncoding('utf8').on('data', (more: string) => {
              text += more
              if ((text.match(/"peer\.joined"/g)?.length ?? 0) >= 2) resolve()
            })
          }),
        )
        continue
      }
      await Promise.all(met)
      const { code, text } = await set.run(who, line)
      expect(code, `${line}\n${text}`).toBe(0)
      if (line.includes(' status ')) for (const host of ['host1', 'host2', 'host3']) expect(text).toContain(host)
    }
    expect((await stat(path.join(set.homeOf('host1'), 'run.key'))).mode & 0o077).toBe(0)
    for (const home of ['laptop', 'host1', 'host2', 'host3']) expectResults(set, home)
  })

  it('ssh.sh runs a plan and leaves neither peers nor keys behind', async () => {
    await using set = await StageSet.create(3)
    const script = path.join(launchers, 'ssh.sh')
    const env = { PACELINE: root, ALLOW: set.target }
    const { code, text } = await set.run('laptop', `${script} plan.yaml host1 host2 host3`, env)
    expect(code, text).toBe(0)
    expectResults(set, 'laptop')
    expectResults(set, 'host2', 'paceline-results')
    for (const home of ['laptop', 'host1', 'host3']) {
      const left = readdirSync(path.join(set.homeOf(home), 'tmp')).filter((name) => !name.startsWith('paceline-peers'))
      expect(left).toEqual([])
    }
    const refused = await set.run('laptop', `${script} nowhere.yaml host1 host2 host3`, env)
    expect(refused.code).toBe(2)
  })

  it('paceline.sbatch does so as a Slurm job', async () => {
    await using set = await StageSet.create(3)
    const env = {
      PACELINE: root,
      ALLOW: set.target,
      SLURM_JOB_ID: '7',
      SLURM_JOB_NODELIST: 'host[1-3]',
      SLURM_JOB_NUM_NODES: '3',
    }
    const { code, text } = await set.run('laptop', `bash ${launchers}/paceline.sbatch plan.yaml`, env)
    expect(code, text).toBe(0)
    expectResults(set, 'laptop', 'results/slurm-7')
    expect(readdirSync(path.join(set.homeOf('laptop'), 'results/slurm-7'))).toHaveLength(4)
    expect(readdirSync(set.homeOf('laptop')).filter((name) => name.endsWith('.key'))).toEqual([])
  })
})

it('shell scripts can be parsed', () => {
  for (const name of ['ssh.sh', 'paceline.sbatch']) {
    expect(spawnSync('bash', ['-n', path.join(launchers, name)], { encoding: 'utf8' })).toMatchObject({ stderr: '' })
  }
})

describe('the systemd unit', () => {
  const unit = readFileSync(path.join(launchers, 'paceline@.service'), 'utf8')

  it('starts a peer', () => {
    const [, line = ''] = /^ExecStart=\/usr\/bin\/env node \/opt\/paceline\/bin\/paceline\.js (.*)$/m.exec(unit) ?? []
    const [, flags = ''] = /PACELINE_FLAGS=(.*)$/m.exec(unit) ?? []
    const words = line.replaceAll('%i', 'demo').replaceAll('%H', 'host1').replace('$PACELINE_FLAGS', flags).split(' ')
    const env = { PACELINE_SECRET_FILE: '/run/credentials/run.key' }
    expect(parseCommandLine(words, env)).toMatchObject({
      name: 'node',
      peerName: 'host1',
      secretFile: env.PACELINE_SECRET_FILE,
      allow: ['file:///mnt/bench/'],
    })
  })

  it.skipIf(spawnSync('systemd-analyze', ['--version']).status !== 0)('is what systemd understands', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'paceline-unit-'))
    const file = path.join(folder, 'paceline@demo.service')
    await copyFile(path.join(launchers, 'paceline@.service'), file)
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' })
    await rm(folder, { recursive: true })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })
})

describe('the Kubernetes manifest', () => {
  const text = readFileSync(path.join(launchers, 'kubernetes.yaml'), 'utf8')
  const documents = parseAllDocuments(text).map((document) => document.toJS())

  it('has the types of the API, and no key that is not one of them', async () => {
    // Inside the project: types are found from there.
    const folder = path.join(root, 'node_modules/.cache', `paceline-k8s-${process.pid}`)
    await mkdir(folder, { recursive: true })
    const lines = documents.map((document, at) => {
      const group = document.apiVersion === 'v1' ? 'core/v1' : document.apiVersion
      return `export const d${at}: import('kubernetes-types/${group}').${document.kind} = ${JSON.stringify(document)}`
    })
    const file = path.join(folder, 'manifest.ts')
    await writeFile(file, lines.join('\n'))
    const tsc = path.join(root, 'node_modules/.bin/tsc')
    const flags = ['--noEmit', '--strict', '--skipLibCheck', '--ignoreConfig', '--module', 'preserve', '--types', '']
    const { status, stdout } = spawnSync(tsc, [...flags, file], { encoding: 'utf8' })
    await rm(folder, { recursive: true })
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
  })

  it('starts peers that listen where the others look for them', () => {
    const [service, set] = documents
    const { containers, volumes } = set.spec.template.spec
    const [peer] = containers
    const words = [...peer.command.slice(2), ...peer.args].map((word: string) => word.replace('$(POD)', 'paceline-1'))
    const env = { PACELINE_SECRET_FILE: '/run/paceline/run.key' }
    expect(parseCommandLine(words, env)).toMatchObject({
      join: ['/dns/paceline-0.paceline/tcp/4001'],
      secretFile: env.PACELINE_SECRET_FILE,
    })
    expect(set.spec.serviceName).toBe(service.metadata.name)
    const key = volumes.find(({ name }: { name: string }) => name === 'key')
    expect(key.secret.defaultMode & 0o007).toBe(0)
  })
})
