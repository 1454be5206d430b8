/** The live block fits every window, survives every resize, and leaves nothing behind. */

import { describe, expect, it } from 'vitest'
import { type AgentView, type PlanView, withDecision } from '../../src/cli/progress.ts'
import { printableLines, showProgress, wantsColor } from '../../src/cli/terminal/mod.ts'
import { plainChanges, plainStatus } from '../../src/cli/terminal/plain.ts'
import { renderBlock } from '../../src/cli/terminal/render.ts'
import { columnsOf } from '../../src/cli/terminal/width.ts'
import { Screen } from './screen.ts'

const WIDTHS = [1, 2, 5, 12, 20, 40, 41, 60, 80, 120, 200, 400]
// biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes begin with ESC
const COLOR = /\u001b\[[0-9;]*m/g

function agent(name: string, state: AgentView['state'] = 'working'): AgentView {
  const progress = {
    seconds: 3,
    ops: 123_456,
    bytes: 1e9,
    errors: 0,
    opsPerSecond: 41_152,
    bytesPerSecond: 3.4e8,
    p99Ns: 1_234_567,
    done: null,
  }
  return { peer: `id-${name}`, name, state, progress }
}

function view(changes: Partial<PlanView> = {}): PlanView {
  return {
    runId: 'demo',
    plan: 1,
    stages: [
      { name: 'fill', type: 'prepare', expectedSeconds: null },
      { name: 'read', type: 'execute', expectedSeconds: 10 },
    ],
    sequence: 2,
    openedAt: 1_000_000,
    agents: [agent('alpha'), agent('beta'), agent('gamma')],
    leader: 'alpha',
    unilateral: false,
    leaderless: null,
    end: null,
    ...changes,
  }
}

const NOW = 1_004_000

function block(width: number, changes: Partial<PlanView> = {}, color = false): string[] {
  return renderBlock(view(changes), { width, color, now: NOW })
}

describe('what the block says', () => {
  it('stage i of n, bar, time left, ops/s, MiB/s, p99, agents by name, leader', () => {
    expect(block(80)).toEqual([
      `stage 2 of 2  read  ${'█'.repeat(14)}${'░'.repeat(20)}  40%  4.00 s, 6.00 s left`,
      '  370,368 ops   123 k ops/s   973 MiB/s   p99 1.23 ms',
      '  working 3: alpha, beta, gamma',
      '  led by alpha',
    ])
  })

  it('a narrow window has all of it, in more lines', () => {
    expect(block(40)).toEqual([
      'stage 2 of 2  read',
      `  ${'█'.repeat(5)}${'░'.repeat(7)}  40%  4.00 s, 6.00 s left`,
      '  370,368 ops   123 k ops/s   973 MiB/s',
      '  p99 1.23 ms',
      '  working 3: alpha, beta, gamma',
      '  led by alpha',
    ])
  })

  it('who is ready, waited for, failed, lost and excluded', () => {
    const agents = [
      agent('a', 'ready'),
      agent('b'),
      agent('c', 'failed'),
      agent('d', 'dead'),
      agent('e', 'excluded'),
      agent('f', 'ready'),
    ]
    expect(block(80, { agents }).slice(2)).toEqual([
      '  ready 2: a, f',
      '  waiting for 1: b',
      '  failed 1: c',
      '  lost 1: d',
      '  excluded 1: e',
      '  led by alpha',
    ])
  })

  it('whom a peer without a leader misses, and how long it waits', () => {
    const agents = [agent('a', 'ready'), agent('b')]
    const leaderless = {
      plan: { number: 1, uid: 'u' },
      sinceMs: 3000,
      members: 2,
      missing: [{ name: 'b', reason: 'left' }],
      givesUpInMs: 41_200,
      next: 'quorum_lost',
    } as const
    expect(block(80, { agents, leaderless }).slice(4)).toEqual([
      '  no majority: 1 of 2 members within reach, waiting for b (left)',
      '  stops in 42 s',
    ])
    expect(plainStatus(view({ agents, leaderless }), NOW)).toMatch(
      /%, no majority: 1 of 2 members within reach, waiting for b \(left\); stops in 42 s$/,
    )
  })

  it('more agents than fit are counted', () => {
    const agents = Array.from({ length: 64 }, (_, index) => agent(`host-${index + 1}`))
    expect(block(60, { agents })[2]).toBe('  working 64: host-1, host-2, host-3, host-4 and 60 more')
  })

  it('what goes on after the last release', () => {
    const after = 'all stages are released: results are being written'
    expect(block(80, { sequence: 3 })).toEqual([after])
    expect(plainStatus(view({ sequence: 3 }), NOW)).toBe(after)
  })

  it('escape sequences in the names of stages stay harmless', () => {
    const stages = [{ name: 'a\u001b[2Jb\nc', type: 'prepare', expectedSeconds: null }]
    const lines = block(80, { stages, sequence: 1 })
    expect(lines.join('')).not.toMatch(/\p{Cc}/u)
  })

  it('so they do in words of other peers, of which the lines stay', () => {
    expect(printableLines('run a\n! \u001b]0;b\u0007\u009b2J\r\n')).toBe('run a\n!  ]0;b  2J \n')
  })
})

describe('no line is wider than the window', () => {
  const agents = Array.from({ length: 9 }, (_, index) =>
    agent(`a-rather-long-name-${index}`, index < 3 ? 'failed' : 'ready'),
  )
  const stages = [{ name: '読み取り 🚴🚴 of a stage with a long name indeed', type: 'execute', expectedSeconds: 10 }]
  for (const width of WIDTHS) {
    it(`${width} columns`, () => {
      const views: Partial<PlanView>[] = [{}, { agents, stages, sequence: 1, unilateral: true }, { sequence: 0 }]
      for (const changes of views) {
        for (const color of [true, false]) {
          const lines = block(width, changes, color).map((line) => line.replaceAll(COLOR, ''))
          for (const line of lines) expect(columnsOf(line), line).toBeLessThanOrEqual(width)
          expect(lines.join('')).not.toContain('\n')
        }
      }
    })
  }

  it('wide characters take two columns, marks and joiners none', () => {
    expect([columnsOf('abc'), columnsOf('読む'), columnsOf('🚴'), columnsOf('e\u0301\u200d')]).toEqual([3, 4, 2, 1])
  })
})

describe('a window that changes its size', () => {
  it('has one block, whole, at its foot, and none after the end', () => {
    const screen = new Screen(80)
    const display = showProgress(screen, view(), { mode: 'live', color: true })
    const kept: string[] = []
    for (const [step, width] of [...WIDTHS, ...WIDTHS.toReversed(), 80, 40, 200].entries()) {
      screen.resize(width)
      display.print(`line ${step}`)
      kept.push(`line ${step}`)
      expect(screen.lines.slice(0, kept.length)).toEqual(kept)
      expect(screen.wrapped.filter((line) => !line.startsWith('line'))).toEqual([])
      expect(screen.cursorShown).toBe(false)
    }
    expect(screen.lines.slice(kept.length).join('\n')).toContain('led by alpha')
    display.close()
    expect(screen.lines).toEqual(kept)
    expect([screen.cursorShown, screen.listeners]).toEqual([true, 0])
  })

  it('keeps nothing of a block that it broke anew before the program knew of its width', () => {
    const screen = new Screen(120)
    const display = showProgress(screen, view(), { mode: 'live', color: true })
    display.print('kept')
    for (const width of [100, 60, 41, 20, 7, 60, 30]) {
      screen.pull(width)
      display.print(`pulled to ${width}`)
      screen.resize(width)
    }
    display.close()
    expect(screen.lines).toEqual(['kept', ...[100, 60, 41, 20, 7, 60, 30].map((width) => `pulled to ${width}`)])
  })

  it('is never filled to its last row by the block', () => {
    const screen = new Screen(40)
    screen.rows = 4
    const display = showProgress(screen, view(), { mode: 'live', color: false })
    display.print('kept')
    expect(screen.lines).toHaveLength(1 + 3)
    display.close()
  })
})

describe('where there is no terminal', () => {
  it('plain lines, without any escape sequence', () => {
    const screen = new Screen(80)
    const display = showProgress(screen, view({ sequence: 1 }), { mode: 'plain', color: false })
    display.update(view({ sequence: 2, leader: 'beta', agents: [agent('alpha', 'dead'), agent('beta')] }))
    display.close()
    expect(screen.lines).toEqual([
      'beta leads now, after alpha',
      'alpha was lost',
      'stage 1 fill: released',
      'stage 2 of 2 read: started',
    ])
    expect(screen.raw).not.toContain('\u001b')
  })

  it('who is blamed for an abort is named once, and stays on the list once', () => {
    const member = (name: string) => ({ peer: `id-${name}`, name, incarnation: '1' })
    const before = view({ sequence: 1 })
    const after = withDecision(
      before,
      {
        kind: 'abort',
        plan: { number: 1, uid: 'one' },
        sequence: 1,
        leader: 'alpha',
        ballot: { term: 1, peer: 'id-alpha' },
        policy: 'all_or_nothing',
        members: [member('alpha'), member('beta'), member('gamma')],
        excluded: [{ peer: 'id-beta', name: 'beta', reason: 'failed' }],
        reports: [],
        reason: 'all_or_nothing: beta failed',
      },
      false,
      NOW,
    )
    expect(plainChanges(before, after)).toEqual(['beta failed its stage'])
    expect(plainChanges(after, { ...after })).toEqual([])
    expect(after.agents.map(({ name, state }) => [name, state])).toEqual([
      ['alpha', 'working'],
      ['beta', 'failed'],
      ['gamma', 'working'],
    ])
  })

  it('NO_COLOR wins over everything, dumb terminals have no colours, FORCE_COLOR asks for them in a pipe', () => {
    const ask = (isTerminal: boolean, env: Record<string, string>) => wantsColor(isTerminal, env)
    expect(ask(true, { TERM: 'xterm' })).toBe(true)
    expect(ask(true, { TERM: 'xterm', NO_COLOR: '1', FORCE_COLOR: '1' })).toBe(false)
    expect(ask(true, { TERM: 'xterm', NO_COLOR: '' })).toBe(true)
    expect(ask(true, { TERM: 'dumb' })).toBe(false)
    expect([ask(false, {}), ask(false, { FORCE_COLOR: '1' })]).toEqual([false, true])
  })
})
