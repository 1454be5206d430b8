/** The same case with fio's psync engine, or with its engines for metadata. */

import { execFile } from 'node:child_process'
import os from 'node:os'
import { promisify } from 'node:util'
import { z } from 'zod'
import { type Case, MIB, READ_FILES, SMALL_FILES, WRITE_BYTES, WRITE_OBJECT_BYTES } from './cases.ts'
import type { Figures, Timing } from './figures.ts'
import { touchPages } from './pages.ts'

const direction = z.object({ total_ios: z.number(), io_bytes: z.number(), runtime: z.number() })
const report = z.object({
  jobs: z.tuple([
    z.object({ error: z.number(), usr_cpu: z.number(), sys_cpu: z.number(), read: direction, write: direction }),
  ]),
})

/** `folder`: where the read files are, or an empty one for cases that make files. */
export async function runFio(one: Case, folder: string, timing: Timing): Promise<Figures> {
  const args = [
    '--name=bench',
    '--thread',
    '--group_reporting',
    '--output-format=json',
    '--invalidate=0',
    '--fallocate=none',
    `--numjobs=${one.threads}`,
    `--direct=${one.direct ? 1 : 0}`,
    ...argumentsOf(one, folder, timing),
  ]
  if (one.kind === 'write' && !one.direct) touchPages(folder, WRITE_BYTES)
  const { stdout } = await promisify(execFile)('fio', args, { maxBuffer: 16 * MIB })
  // Notices may stand before the document.
  const [job] = report.parse(JSON.parse(stdout.slice(stdout.indexOf('{')))).jobs
  if (job.error !== 0) throw new Error(`fio failed with ${job.error}: fio ${args.join(' ')}`)
  const ios = job.read.total_ios + job.write.total_ios
  const reported = Math.max(job.read.runtime, job.write.runtime) / 1000
  const cpuSeconds = ((job.usr_cpu + job.sys_cpu) / 100) * reported * one.threads
  // That is the time of the slowest job. Jobs with little to do end before others have begun: all of them took no less
  // than their CPU time on all cores.
  const seconds = Math.max(reported, cpuSeconds / os.availableParallelism())
  return { ops: ios, bytes: job.read.io_bytes + job.write.io_bytes, seconds, cpuUsPerOp: (cpuSeconds * 1e6) / ios }
}

function argumentsOf(one: Case, folder: string, timing: Timing): string[] {
  if (one.kind === 'read') {
    const names = Array.from(
      { length: READ_FILES.count },
      (_, i) => `${folder}prepared-${String(i).padStart(8, '0')}.dat`,
    )
    return [
      '--ioengine=psync',
      `--filename=${names.join(':')}`,
      `--bs=${one.blockBytes}`,
      ...(one.random
        ? ['--rw=randread', '--norandommap', '--file_service_type=random:1']
        : ['--rw=read', '--file_service_type=sequential']),
      ...forSomeTime(timing),
    ]
  }
  if (one.kind === 'write') {
    return [
      '--ioengine=psync',
      `--directory=${folder}`,
      '--rw=write',
      '--bs=1m',
      `--nrfiles=${WRITE_BYTES / WRITE_OBJECT_BYTES / one.threads}`,
      `--filesize=${WRITE_OBJECT_BYTES}`,
      ...oneFileAfterAnother,
      '--create_on_open=1',
    ]
  }
  if (one.kind === 'null') {
    return ['--ioengine=null', '--size=1g', '--bs=4k', '--rw=randread', '--norandommap', ...forSomeTime(timing)]
  }
  const files = [`--directory=${folder}`, `--nrfiles=${SMALL_FILES.count / one.threads}`, ...oneFileAfterAnother]
  const size = [`--filesize=${SMALL_FILES.bytes}`, `--bs=${SMALL_FILES.bytes}`]
  switch (one.step) {
    case 'create-empty':
      return ['--ioengine=filecreate', ...files, ...size, '--create_on_open=1', '--rw=write']
    case 'create':
      return ['--ioengine=psync', ...files, ...size, '--create_on_open=1', '--rw=write']
    case 'stat':
      return ['--ioengine=filestat', ...files, ...size, '--rw=read', ...forSomeTime(timing)]
    case 'read':
      return ['--ioengine=psync', ...files, ...size, '--rw=read', ...forSomeTime(timing)]
    case 'delete':
      // Before a write, fio makes files without content, which are deleted in less time.
      return ['--ioengine=filedelete', ...files, ...size, '--rw=read']
  }
}

/** fio's fastest way through many files: the others search for the next one. */
const oneFileAfterAnother = ['--file_service_type=sequential', '--openfiles=1', '--fadvise_hint=0']

/** A number without a unit counts whole seconds. */
function forSomeTime({ seconds, warmupSeconds }: Timing): string[] {
  return ['--time_based', `--runtime=${1000 * seconds}ms`, `--ramp_time=${1000 * warmupSeconds}ms`]
}
