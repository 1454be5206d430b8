/** The commands of a scenario file, one a line. What they make the cores do follows each, indented. */

import { setAt } from './patch.ts'
import { barrierSpec, planOf } from './plans.ts'
import { World } from './world.ts'

/** Simulated time after which `until` gives up. */
const UNTIL_MS_MAX = 60_000

/** Plays a scenario: its own comments and commands, each followed by what happened. */
export function play(text: string): string {
  const world = new World()
  const told: string[] = []
  for (const [index, line] of text.trimEnd().split('\n').entries()) {
    if (line.startsWith(' ')) continue
    told.push(line)
    if (line === '' || line.startsWith('#')) continue
    try {
      obey(world, line)
    } catch (error) {
      throw new Error(`line ${index + 1}, "${line}": ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      })
    }
    told.push(...world.telling.take())
  }
  return `${told.join('\n')}\n`
}

/** What is joined by `&` happens at the same moment. */
function obey(world: World, line: string): void {
  let settles = false
  for (const part of line.split(' & ')) {
    const [name = '', ...words] = part.split(' ')
    const command = commands[name]
    if (command === undefined) throw new Error(`no such command; there are ${Object.keys(commands).join(', ')}`)
    command(world, words)
    settles ||= !settings.has(name)
  }
  if (settles) world.settle()
}

/** After these, messages under way are not awaited. */
const settings = new Set(['quiet', 'loud', 'show', 'hide', 'slow', 'hold', 'forget', 'cut', 'heal', 'wait', 'until'])

type Command = (world: World, words: readonly string[]) => void

function each(run: (world: World, name: string) => void): Command {
  return (world, names) => {
    for (const name of names) run(world, name)
  }
}

const commands: Readonly<Record<string, Command>> = {
  quiet: (world) => {
    world.telling.loud = false
  },
  loud: (world) => {
    world.telling.loud = true
  },
  show: each((world, type) => world.telling.hidden.delete(type)),
  hide: each((world, type) => world.telling.hidden.add(type)),
  peers: each((world, name) => world.boot(name)),
  restart: each((world, name) => {
    world.kill(name)
    world.settle()
    world.boot(name)
  }),
  kill: each((world, name) => world.kill(name)),
  pause: each((world, name) => world.pause(name)),
  resume: each((world, name) => world.resume(name)),
  leave: each((world, name) => world.tell(name, { type: 'leave' })),
  /** submit WHO NAME key=value...: hands in a plan. */
  submit: (world, [who = '', name = '', ...settings]) => world.submit(who, planFrom(name, settings)),
  abort: (world, [who = '', ...reason]) => world.tell(who, { type: 'abort', reason: reason.join(' ') }),
  finish: each((world, name) => world.finish(name, 'ok')),
  fail: each((world, name) => world.finish(name, 'failed')),
  /** slow b: gets ready for plans only when told so, by `armed b`. */
  slow: each((world, name) => world.slow(name)),
  armed: each((world, name) => world.armed(name)),
  wait: (world, [ms = '']) => world.wait(Number(ms)),
  /** until TEXT: time passes until a line contains it. */
  until: (world, words) => {
    const escaped = words.join(' ').replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
    world.until(new RegExp(escaped), UNTIL_MS_MAX)
  },
  hold: (world, words) => world.hold(...link(words)),
  release: (world) => world.release(),
  forget: (world) => world.forget(),
  /** cut A > B: what A says to B is lost from now on. */
  cut: (world, [from = '', , to = '']) => world.cut(from, to),
  heal: (world) => world.heal(),
  disconnect: (world, [a = '', b = '']) => world.disconnect(a, b),
  connect: (world, [a = '', b = '']) => world.connect(a, b),
  /** replay TYPE A > B [as X] [with path=json...]: the newest such message once more. */
  replay: (world, words) => {
    const [type, from, to] = link(words)
    const claims = words[4] === 'as' ? (words[5] ?? '') : from
    const changes = words.includes('with') ? words.slice(words.indexOf('with') + 1) : []
    world.replay(type, from, to, claims, (copy) => {
      for (const change of changes) {
        const at = change.indexOf('=')
        setAt(copy, change.slice(0, at).split('.'), JSON.parse(change.slice(at + 1)))
      }
    })
  },
}

function link([type = '', from = '', , to = '']: readonly string[]): [string, string, string] {
  return [type, from, to]
}

function planFrom(submission: string, settings: readonly string[]) {
  const given = new Map(settings.map((setting) => setting.split('=') as [string, string]))
  const policy = given.get('policy') ?? 'all_or_nothing'
  if (policy !== 'all_or_nothing' && policy !== 'majority' && policy !== 'best_effort') throw new Error(`no ${policy}`)
  const barrier = barrierSpec(policy, {
    stragglerGraceMs: Number(given.get('grace') ?? 10_000),
    barrierTimeoutMs: Number(given.get('timeout') ?? 60_000),
  })
  const agents = given.get('agents')
  const stages = Number(given.get('stages') ?? 2)
  return planOf({ submission, stages, barrier, ...(agents === undefined ? {} : { agents: Number(agents) }) })
}
