import { describe, expect, it } from 'vitest'
import { agentFolder, FlatSet, fillMask, putName, putNames, Tree } from '../../src/io/collections.ts'
import { compileGlob, parsePattern } from '../../src/io/glob.ts'
import { Random } from '../../src/io/random.ts'
import { creationShare, deletionShare, rangeFor, Selector, Shuffle, takenAtOnce } from '../../src/io/shares.ts'
import { bucketOf, drawSize, sizeOf } from '../../src/io/sizes.ts'
import { parseUri, splitName } from '../../src/io/uri.ts'
import { agentOf, objectSet, tree } from './helpers.ts'

function namesOf(collection: FlatSet | Tree): string[] {
  const place = { dir: '', name: '' }
  return Array.from({ length: collection.count }, (_, number) => {
    collection.locate(number, place)
    return place.dir + place.name
  })
}

describe('names', () => {
  it('of flat sets are those of sai3-bench', () => {
    expect(namesOf(new FlatSet(objectSet('file:///d', { count: 2 }), '', 1))).toEqual([
      'prepared-00000000.dat',
      'prepared-00000001.dat',
    ])
    const sharded = new FlatSet(objectSet('file:///d/', { count: 260, prefixShards: 256 }), '', 1)
    expect(namesOf(sharded)[10]).toBe('0a/prepared-00000010.dat')
    expect(namesOf(sharded)[257]).toBe('01/prepared-00000257.dat')
    expect(sharded.bases).toEqual(['file:///d/'])
  })

  it('of trees are those of sai3-bench, files at the bottom', () => {
    const names = namesOf(new Tree(tree('file:///d/'), '', 1))
    expect(names).toHaveLength(12)
    expect(names[0]).toBe('d1_w1.dir/d2_w1.dir/file_00000000.dat')
    expect(names[3]).toBe('d1_w1.dir/d2_w2.dir/file_00000003.dat')
    expect(names[11]).toBe('d1_w2.dir/d2_w2.dir/file_00000011.dat')
  })

  it('of trees are those of sai3-bench, files everywhere', () => {
    const names = namesOf(new Tree(tree('file:///d/', { distribution: 'all', filesPerDir: 2 }), '', 1))
    expect(names).toHaveLength(12)
    expect(names[0]).toBe('d1_w1.dir/file_00000000.dat')
    expect(names[2]).toBe('d1_w2.dir/file_00000002.dat')
    expect(names[4]).toBe('d1_w1.dir/d2_w1.dir/file_00000004.dat')
    expect(new Set(names).size).toBe(12)
  })

  it('fill masks as printf does', () => {
    expect(fillMask('sai3.d%d_w%03d', [2, 7])).toBe('sai3.d2_w007')
  })

  it('of puts are unique per agent, stage, lane and counter, and say whose they are', () => {
    const context = { run: 'r', plan: 1 }
    const a = putNames(context, 'a')
    const b = putNames(context, 'b')
    const names = [
      putName(a, 1, 0, 0),
      putName(a, 1, 0, 1),
      putName(a, 1, 1, 0),
      putName(a, 2, 0, 0),
      putName(b, 1, 0, 0),
    ]
    expect(new Set(names).size).toBe(5)
    expect(names.every((name) => name.startsWith(`${a.runTag}_`))).toBe(true)
    expect(putNames({ run: 'r', plan: 2 }, 'a').runTag).not.toBe(a.runTag)
  })

  it('of agents make safe folders', () => {
    expect(agentFolder('concurrent', 'a')).toBe('')
    expect(agentFolder('isolated', 'agent-1')).toBe('agent-1/')
    for (const name of ['..', '.', '../x', 'a/b', '', 'x'.repeat(300)]) {
      expect(agentFolder('isolated', name)).toMatch(/^[A-Za-z0-9_-]{1,80}\/$/)
    }
  })
})

describe('patterns', () => {
  it('match across folders, as object stores do', () => {
    expect(compileGlob('prepared-*.dat').test('prepared-00000001.dat')).toBe(true)
    expect(compileGlob('*').test('aa/b/c')).toBe(true)
    expect(compileGlob('d*_w*.dir/**/*').test('d1_w1.dir/file_1')).toBe(true)
    expect(compileGlob('d*_w*.dir/**/*').test('d1_w1.dir/d2_w1.dir/file_1')).toBe(true)
    expect(compileGlob('a?c').test('abc')).toBe(true)
    expect(compileGlob('a?c').test('a/c')).toBe(false)
    expect(compileGlob('a.c').test('abc')).toBe(false)
    expect(compileGlob('a*b').test('xab')).toBe(false)
    expect(compileGlob('**/b').test('b')).toBe(true)
    expect(compileGlob('**/b').test('a/b')).toBe(true)
    expect(compileGlob('**/b').test('ab')).toBe(false)
  })

  it('match what expressions that go back would match', () => {
    const random = new Random(5)
    const draw = (from: string, most: number) =>
      Array.from({ length: random.below(most + 1) }, () => from[random.below(from.length)] ?? '').join('')
    const tried = { yes: 0, no: 0 }
    for (let turn = 0; turn < 20_000; turn++) {
      const glob = draw('ab/?**', 7)
      const name = draw('ab/', 7)
      const tokens = glob.match(/\*\*\/|\*+|\?|[^*?]+/g) ?? []
      const sources = tokens.map((token) => {
        if (token === '**/') return '(?:.*/)?'
        return token.startsWith('*') ? '.*' : token === '?' ? '[^/]' : token
      })
      const expected = new RegExp(`^${sources.join('')}$`).test(name)
      expect(compileGlob(glob).test(name), `${glob} of ${name}`).toBe(expected)
      tried[expected ? 'yes' : 'no'] += 1
    }
    expect(Math.min(tried.yes, tried.no)).toBeGreaterThan(1000)
  })

  it('start at a folder', () => {
    expect(parsePattern('file:///a/b/pre*.dat')).toMatchObject({ folder: 'file:///a/b/', single: false })
    expect(parsePattern('file:///a/b/')).toMatchObject({ folder: 'file:///a/b/', single: false })
    expect(parsePattern('file:///a/b')).toMatchObject({ folder: 'file:///a/', single: true })
    expect(splitName('s3://bucket')).toEqual(['s3://', 'bucket'])
  })

  it.each(['*', '*a', '**/a', 'a**/', '*a**/b', '?*'])('of many %s do not explode', (part) => {
    const before = process.cpuUsage()
    expect(compileGlob(`${part.repeat(Math.floor(1000 / part.length))}x`).test('a'.repeat(1000))).toBe(false)
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1000).toBeLessThan(500)
  })
})

describe('URIs', () => {
  it('are read, or refused with what would be right', () => {
    expect(parseUri('direct:///mnt/x')).toEqual({ scheme: 'direct', path: '/mnt/x' })
    expect(() => parseUri('file://relative/path')).toThrow('file:///relative/path')
    for (const uri of ['az://c/', 'nothing', 's3://', 'file:///a\0b']) expect(() => parseUri(uri)).toThrow('Cannot use')
  })
})

describe('sizes', () => {
  it('fall into the buckets of sai3-bench', () => {
    const bounds = [0, 1, 8192, 8193, 65536, 65537, 524_288, 4_194_304, 33_554_432, 268_435_456, 2 ** 31, 2 ** 31 + 1]
    expect(bounds.map(bucketOf)).toEqual([0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8])
  })

  it('are the same everywhere and follow their distribution', () => {
    const lognormal = { kind: 'lognormal', mean: 1e6, stdDev: 5e5, min: 1000, max: 1e7 } as const
    const sizes = Array.from({ length: 20_000 }, (_, i) => sizeOf(lognormal, 9, i))
    expect(sizes.slice(0, 50)).toEqual(Array.from({ length: 50 }, (_, i) => sizeOf(lognormal, 9, i)))
    const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length
    expect(mean).toBeGreaterThan(9.7e5)
    expect(mean).toBeLessThan(1.03e6)
    const deviation = Math.sqrt(sizes.reduce((sum, size) => sum + (size - mean) ** 2, 0) / sizes.length)
    expect(deviation).toBeGreaterThan(4.6e5)
    expect(deviation).toBeLessThan(5.4e5)
    const uniform = { kind: 'uniform', min: 5, max: 7 } as const
    expect(new Set(Array.from({ length: 200 }, (_, i) => sizeOf(uniform, 1, i)))).toEqual(new Set([5, 6, 7]))
    expect(drawSize(uniform, 0.9999999, 0)).toBe(7)
  })
})

describe('shares', () => {
  const agents = ['a', 'b', 'c']

  function numbers({ first, step, count }: { first: number; step: number; count: number }): number[] {
    return Array.from({ length: count }, (_, i) => first + i * step)
  }

  it('cover every object once in each shared mode', () => {
    for (const total of [0, 1, 2, 3, 100]) {
      for (const sharing of ['coordinator', 'concurrent'] as const) {
        const created = agents.flatMap((_, i) => numbers(creationShare(sharing, total, agentOf(agents, i))))
        const deleted = agents.flatMap((_, i) => numbers(deletionShare(sharing, total, agentOf(agents, i))))
        const all = Array.from({ length: total }, (_, i) => i)
        expect(created.sort((x, y) => x - y)).toEqual(all)
        expect(deleted.sort((x, y) => x - y)).toEqual(all)
      }
      expect(creationShare('isolated', total, agentOf(agents, 2)).count).toBe(total)
    }
  })

  it('are taken in parts that leave some for every lane', () => {
    expect(takenAtOnce(10_000, 16, 16)).toBe(16)
    expect(takenAtOnce(32, 16, 16)).toBe(1)
    expect(takenAtOnce(32, 2, 16)).toBe(4)
    expect(takenAtOnce(0, 16, 16)).toBe(1)
  })

  it('can be gone through in another order', () => {
    for (const total of [1, 2, 3, 10, 1000, 1024]) {
      const shuffle = new Shuffle(total)
      const order = Array.from({ length: total }, (_, i) => shuffle.at(i))
      expect(new Set(order).size).toBe(total)
      expect(Math.max(...order)).toBe(total - 1)
    }
  })

  it('keep what is read apart from what is deleted', () => {
    expect(rangeFor(5, 'read', true)).toEqual({ first: 0, end: 3 })
    expect(rangeFor(5, 'delete', true)).toEqual({ first: 3, end: 5 })
    expect(rangeFor(5, 'delete', false)).toEqual({ first: 0, end: 5 })
  })
})

describe('path selection', () => {
  function chosen(selection: 'random' | 'exclusive' | 'partitioned', run: number, agentIndex: number): Set<number> {
    const rule = { selection, overlap: 0.3, agentIndex, agents: 3 }
    const selector = new Selector({ run }, { first: 0, end: 60 }, rule, new Random(3))
    return new Set(Array.from({ length: 3000 }, () => selector.next()))
  }

  it('random takes all', () => {
    expect(chosen('random', 1, 0).size).toBe(60)
  })

  it('exclusive gives each agent its own objects, folder by folder', () => {
    expect([...chosen('exclusive', 1, 1)].every((number) => number % 3 === 1)).toBe(true)
    expect([...chosen('exclusive', 5, 2)].every((number) => Math.floor(number / 5) % 3 === 2)).toBe(true)
    expect(chosen('exclusive', 5, 2).size).toBe(20)
  })

  it('partitioned leaves its own part now and then', () => {
    const rule = { selection: 'partitioned', overlap: 0.3, agentIndex: 0, agents: 3 } as const
    const selector = new Selector({ run: 1 }, { first: 0, end: 60 }, rule, new Random(3))
    const foreign = Array.from({ length: 10_000 }, () => selector.next()).filter((number) => number % 3 !== 0).length
    // 30 % choose among all, two thirds of which are others'.
    expect(foreign / 10_000).toBeGreaterThan(0.17)
    expect(foreign / 10_000).toBeLessThan(0.23)
  })
})
