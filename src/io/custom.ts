/** Commands of custom stages: no shell, a stated environment, their output kept, their whole process group ended. */

import { type ChildProcess, spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { beginAt } from './begin.ts'
import { now, sleep } from './clock.ts'
import { checkExecAllowed } from './containment.ts'
import { codeOf, IoError, messageOf } from './errors.ts'
import { COMMAND_KILL_MS, OUTPUT_BYTES_MAX } from './limits.ts'
import { failResult, plainResult } from './result.ts'
import type { Containment, CustomWork, RunOptions, StageContext, StageResult } from './types.ts'

/** How the output of a command is read: a program that left children behind must not hold the stage up, ms. */
const OUTPUT_GRACE_MS = 200

export async function runCustom(
  work: CustomWork,
  context: StageContext,
  containment: Containment,
  options: RunOptions,
): Promise<StageResult> {
  let startedAt = Math.max(options.startAt, now())
  const output = new Tail(OUTPUT_BYTES_MAX)
  let exitCode: number | null = null
  let failure: unknown = null
  try {
    checkExecAllowed(work.command, containment)
    startedAt = await beginAt(options.startAt, options.signal)
    options.onStarted?.(startedAt)
    exitCode = await runCommand(work, context, options.signal, output)
  } catch (error) {
    failure = options.signal.aborted ? new IoError('CANCELLED', 'The stage was cancelled') : error
    if (error instanceof CommandFailed) exitCode = error.exitCode
  }
  const result = { ...plainResult({ startedAt, endedAt: Math.max(now(), startedAt) }), output: output.text(), exitCode }
  return failure === null ? result : failResult(result, failure)
}

class CommandFailed extends IoError {
  readonly exitCode: number | null

  constructor(message: string, exitCode: number | null) {
    super('COMMAND_FAILED', message)
    this.exitCode = exitCode
  }
}

/** Resolves to 0; throws CommandFailed, or IoError TIMED_OUT. */
async function runCommand(work: CustomWork, context: StageContext, signal: AbortSignal, output: Tail): Promise<number> {
  const child = spawn(work.command, [...work.args], {
    env: commandEnvironment(work, context),
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that what it starts ends with it.
    detached: true,
    shell: false,
  })
  child.stdout.on('data', (chunk: Buffer) => output.add(chunk))
  child.stderr.on('data', (chunk: Buffer) => output.add(chunk))
  let timedOut = false
  const onAbort = (): void => endGroup(child)
  const onTimeout = (): void => {
    timedOut = true
    endGroup(child)
  }
  const ended = new AbortController()
  if (work.timeoutMs !== null) void sleep(work.timeoutMs, ended.signal).then(onTimeout, () => {})
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    const { code, how } = await exitOf(child, work.command)
    if (timedOut) throw new IoError('TIMED_OUT', `${work.command} was ended after ${work.timeoutMs} ms`)
    if (code !== 0) throw new CommandFailed(`${work.command} ended with ${how}`, code)
    return 0
  } finally {
    ended.abort()
    signal.removeEventListener('abort', onAbort)
  }
}

async function exitOf(child: ChildProcess, command: string): Promise<{ code: number | null; how: string }> {
  return await new Promise((resolve, reject) => {
    child.once('error', (error) => {
      const hint = codeOf(error) === 'ENOENT' ? 'no such program; give its full path, or check PATH' : messageOf(error)
      reject(new CommandFailed(`${command} could not be started: ${hint}`, null))
    })
    child.once('exit', (code, killedBy) => {
      const how = killedBy === null ? `exit code ${code}` : `signal ${killedBy}`
      const finish = (): void => resolve({ code, how })
      const timer = setTimeout(finish, OUTPUT_GRACE_MS)
      child.once('close', () => {
        clearTimeout(timer)
        finish()
      })
    })
  })
}

/** Asks the whole group to end, then makes it. */
function endGroup(child: ChildProcess): void {
  signalGroup(child, 'SIGTERM')
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), COMMAND_KILL_MS)
  timer.unref()
}

function signalGroup(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, name)
  } catch (error) {
    // ESRCH: all of it has ended.
    if (codeOf(error) !== 'ESRCH') child.kill(name)
  }
}

/** Nothing of this node's environment but what a program cannot do without. */
function commandEnvironment(work: CustomWork, context: StageContext): Record<string, string> {
  const env: Record<string, string> = {}
  for (const name of ['PATH', 'HOME']) {
    const value = process.env[name]
    if (value !== undefined) env[name] = value
  }
  env.TMPDIR = tmpdir()
  return {
    ...env,
    ...work.env,
    PACELINE_RUN_ID: context.run,
    PACELINE_PEER: context.agent,
    PACELINE_PLAN: String(context.plan),
    PACELINE_STAGE: context.stage,
    PACELINE_SEQUENCE: String(context.sequence),
    PACELINE_MEMBERS: context.agents.join(','),
  }
}

/** The last bytes of an output. */
class Tail {
  readonly #max: number
  #chunks: Buffer[] = []
  #length = 0

  constructor(max: number) {
    this.#max = max
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    if (this.#length > 2 * this.#max) this.#chunks = [this.#tail()]
  }

  #tail(): Buffer {
    const all = Buffer.concat(this.#chunks)
    const tail = Buffer.from(all.subarray(Math.max(0, all.length - this.#max)))
    this.#length = tail.length
    return tail
  }

  /** A character that was cut in two at the front is left out. */
  text(): string {
    const text = this.#tail()
      .toString('utf8')
      .replace(/^\uFFFD+/, '')
    return text.length > this.#max ? text.slice(-this.#max) : text
  }
}
