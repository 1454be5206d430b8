/** The member processes of one system, which go through blocks of rounds. */

import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import type { FromMember, FromParent, Round } from './member.ts'

/** All members must have met by then. */
const UP_MS = 90_000
/** Longest time for one block of rounds. */
const BLOCK_MS = 60_000
const STOP_MS = 3000

export class Fleet {
  readonly system: string
  readonly #group = randomBytes(6).toString('hex')
  readonly #children: ChildProcess[] = []

  constructor(system: string) {
    this.system = system
  }

  /** `rounds`: of all blocks together. */
  async start(members: number, rounds: number, env: Readonly<Record<string, string>>): Promise<void> {
    const file = path.join(import.meta.dirname, `${this.system}.ts`)
    const shared = { ...process.env, ...env, GROUP: this.#group, MEMBERS: `${members}`, ROUNDS: `${rounds}` }
    const up: Promise<FromMember>[] = []
    for (let index = 0; index < members; index += 1) {
      const child = spawn(process.execPath, [...process.execArgv, file], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        env: { ...shared, INDEX: `${index}` },
      })
      this.#children.push(child)
      up.push(this.#next(child, UP_MS))
    }
    await Promise.all(up)
  }

  /** One row a member: its rounds. */
  async run(rounds: number): Promise<(readonly Round[])[]> {
    return await Promise.all(
      this.#children.map(async (child) => {
        const answer = this.#next(child, BLOCK_MS)
        child.send({ rounds } satisfies FromParent)
        const message = await answer
        return message.type === 'rounds' ? message.rows : []
      }),
    )
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return
        const ended = once(child, 'exit')
        if (child.connected) child.disconnect()
        const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
        await ended
        clearTimeout(late)
      }),
    )
    rmSync(path.join(tmpdir(), `paceline-bench-${this.#group}`), { recursive: true, force: true })
  }

  async #next(child: ChildProcess, ms: number): Promise<FromMember> {
    return await new Promise<FromMember>((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer)
        child.off('message', onMessage).off('exit', onExit)
        act()
      }
      const fail = (what: string): void => settle(() => reject(new Error(`a member of ${this.system} ${what}`)))
      const onMessage = (message: FromMember): void => settle(() => resolve(message))
      const onExit = (code: number | null): void => fail(`ended early with ${code}`)
      const timer = setTimeout(() => fail(`was silent for ${ms / 1000} s`), ms)
      child.on('message', onMessage).on('exit', onExit)
    })
  }
}
