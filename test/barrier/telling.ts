/** Turns what cores do into the lines of a story: who, to whom, what; the same message to several is one line. */

import { type Output, showMessage, showOutput } from '../../src/barrier/mod.ts'

export class Telling {
  loud = true
  /** Types of messages and outputs that are left out. */
  readonly hidden = new Set(['ping', 'pong', 'heartbeat', 'progress', 'probe', 'plan_proposed', 'plan_withdrawn'])
  #lines: string[] = []
  readonly #all: string[] = []
  #toldAt = Number.NaN
  readonly #plans = new Map<string, string>()

  /** What one step of a peer put out. `fates` says of each output what became of it. */
  step(now: number, name: string, outputs: readonly Output[], fates: readonly string[]): void {
    for (let index = 0; index < outputs.length; index += 1) {
      const output = outputs[index]
      if (output === undefined) continue
      if (output.type !== 'send') {
        const hidden = this.hidden.has(output.type === 'broadcast' ? output.message.type : output.type)
        const text =
          output.type === 'broadcast'
            ? `${name} -> all by gossip: ${showMessage(output.message)}`
            : `${name}  ${showOutput(output)}`
        this.line(now, text, hidden)
        continue
      }
      const text = showMessage(output.message)
      const targets: string[] = []
      for (; index < outputs.length; index += 1) {
        const next = outputs[index]
        if (next?.type !== 'send' || showMessage(next.message) !== text) break
        targets.push(`${next.to}${fates[index] ?? ''}`)
      }
      index -= 1
      this.line(now, `${name} -> ${targets.join(', ')}: ${text}`, this.hidden.has(output.message.type))
    }
  }

  line(now: number, text: string, hidden = false): void {
    const told = this.#named(text)
    this.#all.push(told)
    if (!this.loud || hidden) return
    const time = now === this.#toldAt ? '' : `${Math.round(now)}`
    this.#toldAt = now
    this.#lines.push(`${time.padStart(8)}  ${told}`)
  }

  /** How often something that fits was told so far, loud or not. */
  seen(pattern: RegExp): number {
    return this.#all.filter((line) => pattern.test(line)).length
  }

  /** The lines since it was asked last. */
  take(): string[] {
    this.#toldAt = Number.NaN
    return this.#lines.splice(0)
  }

  /** Unique IDs of plans are long: plan1, and plan1' for another one of the same number. */
  #named(text: string): string {
    return text.replaceAll(/\b(\d+)\/\d+\/[a-z]+\/\d+\/\d+\b/g, (uid, number: string) => {
      const known = this.#plans.get(uid)
      if (known !== undefined) return known
      let name = `plan${number}`
      while ([...this.#plans.values()].includes(name)) name += "'"
      this.#plans.set(uid, name)
      return name
    })
  }
}
