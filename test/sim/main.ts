/** npm run sim: many histories, or one of them with its trace. Exit codes: failure.ts. */

import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { exitCodes, type FailureKind, SimFailure } from './failure.ts'
import { runHistory } from './fuzz.ts'
import { Tally } from './tally.ts'

interface Share {
  readonly from: number
  readonly runs: number
  readonly step: number
  readonly members: number | null
}

interface Found {
  readonly seed: number
  readonly kind: FailureKind
  readonly message: string
}

type Report =
  | { readonly type: 'progress'; readonly done: number }
  | { readonly type: 'found'; readonly found: Found }
  | { readonly type: 'end'; readonly counts: ReadonlyMap<string, number>; readonly simulatedMs: number }

if (isMainThread) await main()
else work(workerData as Share)

function work({ from, runs, step, members }: Share): void {
  const tally = new Tally()
  let simulatedMs = 0
  let done = 0
  for (let seed = from; seed < from + runs; seed += step) {
    const found = tryHistory(seed, members, (history) => {
      tally.merge(history.counts)
      simulatedMs += history.simulatedMs
    })
    if (found !== null) parentPort?.postMessage({ type: 'found', found } satisfies Report)
    done += 1
    if (done % 100 === 0) parentPort?.postMessage({ type: 'progress', done: 100 } satisfies Report)
  }
  parentPort?.postMessage({ type: 'end', counts: tally.counts, simulatedMs } satisfies Report)
}

function tryHistory(
  seed: number,
  members: number | null,
  take: (history: ReturnType<typeof runHistory>) => void,
  trace?: (line: string) => void,
): Found | null {
  try {
    take(runHistory(seed, { ...(members === null ? {} : { members }), ...(trace === undefined ? {} : { trace }) }))
    return null
  } catch (error) {
    if (!(error instanceof SimFailure)) throw error
    return { seed, kind: error.kind, message: error.message }
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      trace: { type: 'boolean', default: false },
      runs: { type: 'string', default: '1000' },
      from: { type: 'string', default: '1' },
      workers: { type: 'string', default: '2' },
      members: { type: 'string' },
      'keep-going': { type: 'boolean', default: false },
      // Each rare thing must have happened in one of them.
      telling: { type: 'boolean', default: false },
    },
  })
  const members = values.members === undefined ? null : wholeNumber('--members', values.members)
  if (values.seed !== undefined) {
    one(wholeNumber('--seed', values.seed), members, values.trace)
    return
  }
  const from = wholeNumber('--from', values.from)
  const runs = wholeNumber('--runs', values.runs)
  const workers = Math.max(1, wholeNumber('--workers', values.workers))
  const tally = await many(from, runs, workers, members, values['keep-going'])
  const missing = values.telling && process.exitCode === 0 ? tally.missing() : []
  if (missing.length === 0) return
  process.stdout.write(`These histories prove little: none had ${missing.join(', ')}\n`)
  process.exitCode = 1
}

function wholeNumber(flag: string, text: string): number {
  const number = Number(text)
  if (Number.isSafeInteger(number) && number >= 0) return number
  process.stderr.write(`${flag} must be a whole number: got "${text}"\n`)
  process.exit(2)
}

function one(seed: number, members: number | null, traced: boolean): void {
  const tally = new Tally()
  const trace = traced ? (line: string) => process.stdout.write(`${line}\n`) : undefined
  const found = tryHistory(seed, members, ({ counts }) => tally.merge(counts), trace)
  if (found === null) process.stdout.write(`seed ${seed} passes\n${tally.lines().join('\n')}\n`)
  else tell(found, members)
  process.exitCode = found === null ? 0 : exitCodes[found.kind]
}

async function many(
  from: number,
  runs: number,
  workers: number,
  members: number | null,
  keepGoing: boolean,
): Promise<Tally> {
  const started = performance.now()
  const tally = new Tally()
  const failures: Found[] = []
  let simulatedMs = 0
  let done = 0
  const stop: (() => Promise<number>)[] = []
  const shares = Array.from({ length: workers }, (_, index) => ({
    from: from + index,
    runs: runs - index,
    step: workers,
    members,
  }))
  const ended = shares.map(
    (share) =>
      new Promise<void>((resolve, reject) => {
        const worker = new Worker(new URL(import.meta.url), { workerData: share })
        worker.on('error', reject)
        worker.on('exit', () => resolve())
        worker.on('message', (report: Report) => {
          if (report.type === 'progress') {
            done += report.done
            if (done % 10_000 === 0) process.stdout.write(`  ${done} of ${runs} after ${seconds(started)} s\n`)
          } else if (report.type === 'end') {
            tally.merge(report.counts)
            simulatedMs += report.simulatedMs
          } else {
            failures.push(report.found)
            if (!keepGoing) void Promise.all(stop.map((end) => end()))
          }
        })
        stop.push(() => worker.terminate())
      }),
  )
  await Promise.all(ended)
  const hours = (simulatedMs / 3_600_000).toFixed(1)
  process.stdout.write(`${runs} histories from seed ${from}: ${hours} simulated hours in ${seconds(started)} s\n`)
  process.stdout.write(`${tally.lines().join('\n')}\n`)
  for (const found of failures.sort((a, b) => a.seed - b.seed)) tell(found, members)
  const worst = failures[0]
  process.exitCode = worst === undefined ? 0 : exitCodes[worst.kind]
  return tally
}

function tell(found: Found, members: number | null): void {
  const size = members === null ? '' : ` --members ${members}`
  process.stdout.write(`FAILED ${found.kind} seed=${found.seed} git=${commit()}\n  ${found.message}\n`)
  process.stdout.write(`  replay: npm run sim -- --seed ${found.seed}${size} --trace\n`)
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return 'unknown'
  }
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1)
}
