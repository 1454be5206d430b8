/** Plans that cannot be used: each is refused with a code, a place, and what to do; none takes time or memory. */

import { describe, expect, it } from 'vitest'
import { PlanError, parsePlan } from '../../src/cli/plan/mod.ts'
import { Prng } from '../sim/prng.ts'
import { refusal } from './helpers.ts'

const GOOD = `target: null:///x/
concurrency: 2
duration: 1s
prepare:
  ensure_objects:
    - { base_uri: data/, count: 10, size: 4KiB }
workload:
  - { op: get, path: 'data/*', weight: 3 }
  - { op: put, path: 'new/', object_size: 4KiB }
distributed:
  agents: [{ id: a }, { id: b }]
  stages:
    - { name: check, order: 1, type: validation }
    - { name: fill, order: 2, config: { type: prepare } }
    - { name: read, order: 3, config: { type: execute, duration: 1s } }
`

function changed(from: string, to: string): string {
  expect(GOOD).toContain(from)
  return GOOD.replace(from, to)
}

it('the plan that the others are made of is good', () => {
  expect(parsePlan(GOOD).stages.map(({ name }) => name)).toEqual(['check', 'fill', 'read'])
})

const INVALID: readonly [what: string, yaml: string, message: RegExp][] = [
  [
    'an unknown key',
    changed('concurrency', 'concurency'),
    /^p\.yaml:2:1: unknown key "concurency"; did you mean "concurrency"\?\n {4}concurency: 2\n {4}\^$/,
  ],
  [
    'one without a value',
    changed('duration: 1s', 'nonsense:'),
    /:3:1: unknown key "nonsense"; known here: concurrency, /,
  ],
  [
    'one in a stage',
    changed('duration: 1s }', 'durations: 1s }'),
    /:15:56: unknown key "distributed\.stages\[2\]\.config\.durations"; did you mean "duration"/,
  ],
  [
    'one of another type of stage',
    changed('type: validation', 'type: validation, command: x'),
    /unknown key "distributed\.stages\[0\]\.command"; known here: barrier, /,
  ],
  ['a proto key', changed('concurrency: 2', '__proto__: 2'), /:2:1: unknown key "__proto__"/],
  [
    'a negative number',
    changed('concurrency: 2', 'concurrency: -2'),
    /:2:14: concurrency must be a whole number from 1 to 65536, not -2/,
  ],
  ['zero lanes', changed('concurrency: 2', 'concurrency: 0'), /concurrency must be a whole number from 1/],
  ['a fraction of a lane', changed('concurrency: 2', 'concurrency: 1.5'), /concurrency must be a whole number/],
  [
    'not a number',
    changed('count: 10', 'count: .nan'),
    /:6:33: prepare\.ensure_objects\[0\]\.count must be .* not NaN/,
  ],
  ['infinity', changed('count: 10', 'count: .inf'), /count must be .* not Infinity/],
  [
    'a huge number',
    changed('count: 10', 'count: 1e300'),
    /count must be a whole number from 0 to 1000000000000, not 1e\+300/,
  ],
  ['wrong separators', changed('count: 10', "count: '1,00'"), /count must be .* not "1,00"/],
  [
    'a huge size',
    changed('size: 4KiB }', 'size: 9999999 PiB }'),
    /\.size must be a size such as 4KiB, not "9999999 PiB"/,
  ],
  [
    'a weird unit of size',
    changed('object_size: 4KiB', 'object_size: 4 parsecs'),
    /:9:43: workload\[1\]\.object_size must be a size such as 4KiB, not "4 parsecs"/,
  ],
  [
    'a negative size',
    changed('object_size: 4KiB', 'object_size: -4'),
    /object_size must be a size such as 4KiB, not -4/,
  ],
  [
    'a weird unit of time',
    changed('duration: 1s\n', 'duration: 3 fortnights\n'),
    /:3:11: duration must be a duration such as 30s or 5m, not "3 fortnights"/,
  ],
  ['a negative time', changed('duration: 1s\n', 'duration: -1s\n'), /duration must be a duration/],
  ['a list for a size', changed('size: 4KiB }', 'size: [1] }'), /\.size must be a size such as 4KiB, not a list/],
  [
    'a mapping for text',
    changed('target: null:///x/', 'target: { a: b }'),
    /:1:9: target must be a URI .* not a mapping/,
  ],
  [
    'text for a list',
    changed(
      "workload:\n  - { op: get, path: 'data/*', weight: 3 }\n  - { op: put, path: 'new/', object_size: 4KiB }",
      'workload: get',
    ),
    /:7:11: workload must be a list, not "get"/,
  ],
  [
    'a list for a mapping',
    changed('agents: [{ id: a }, { id: b }]', 'barrier_sync: [a]'),
    /distributed\.barrier_sync must be a mapping of keys to values, not a list/,
  ],
  ['two agents of one name', changed('{ id: b }', '{ id: a }'), /:11:29: distributed\.agents\[1\]\.id: "a" twice/],
  [
    'an agent that no peer can be',
    changed('{ id: b }', '{ id: "b c" }'),
    /:11:29: distributed\.agents\[1\]\.id must be the --name of a peer, 1 to 64 letters, .*, not "b c"/,
  ],
  ['an agent by number', changed('{ id: b }', '{ id: 2 }'), /agents\[1\]\.id must be the --name of a peer, .*, not 2/],
  [
    'a duplicate order',
    changed('order: 3', 'order: 1'),
    /:15:28: distributed\.stages\[2\]\.order: 1 is the order of "check" already/,
  ],
  ['a missing order', changed(', order: 3', ''), /:15:7: distributed\.stages\[2\]\.order is missing/],
  ['a negative order', changed('order: 3', 'order: -1'), /order must be a whole number/],
  ['a missing count', changed(', count: 10', ''), /:6:7: prepare\.ensure_objects\[0\]\.count is missing/],
  [
    'an unknown type',
    changed('type: validation', 'type: validate'),
    /:13:\d+: distributed\.stages\[0\]\.type must be one of validation, prepare, .*, preflight, not "validate"/,
  ],
  ['a missing type', changed(', type: validation', ''), /distributed\.stages\[0\]\.type is missing/],
  [
    'a wrong completion',
    changed('type: validation', 'type: validation, completion: duration'),
    /completion: stages of type validation end by validation_passed, not by duration/,
  ],
  [
    'an unknown policy',
    changed('type: validation', 'type: validation, barrier: { type: most }'),
    /barrier\.type must be one of all_or_nothing, majority, best_effort, not "most"/,
  ],
  [
    'a name that leads elsewhere',
    changed('name: check', 'name: ../check'),
    /:13:15: distributed\.stages\[0\]\.name must be a name without slashes/,
  ],
  [
    'a name of dots',
    changed('name: check', "name: '..'"),
    /name must be a name without slashes and without a dot at its front/,
  ],
  ['a name of blanks', changed('name: check', "name: '  '"), /name must be a name/],
  ['a name with a line end', changed('name: check', 'name: "a\\nb"'), /name must be a name/],
  [
    'a name without end',
    changed('name: check', `name: ${'x'.repeat(200)}`),
    /name must be a name of at most 100 characters/,
  ],
  [
    'a mask that leads elsewhere',
    changed(
      '  ensure_objects',
      "  directory_structure: { width: 1, depth: 1, dir_mask: '../%d/%d' }\n  ensure_objects",
    ),
    /dir_mask must be a file name with two numbers .* and no slash/,
  ],
  [
    'files of a tree that are not those of its set',
    changed('  ensure_objects', '  directory_structure: { width: 2, depth: 2, files_per_dir: 3 }\n  ensure_objects'),
    /count must be 0 or 12, the files of directory_structure, not 10/,
  ],
  [
    'a tree without end',
    changed(
      '  ensure_objects',
      '  directory_structure: { width: 1000000, depth: 30, files_per_dir: 3 }\n  ensure_objects',
    ),
    /names more files than can be counted/,
  ],
  [
    'another kind of URI',
    changed('null:///x/', 'ftp://host/'),
    /:1:9: target must be a URI such as .*, not "ftp:\/\/host\/"; supported are file:\/\//,
  ],
  ['a put without a size', changed(', object_size: 4KiB', ''), /:9:5: workload\[1\] needs a size/],
  ['min above max', changed('size: 4KiB }', 'min_size: 8KiB, max_size: 4KiB }'), /min_size is larger than max_size/],
  [
    'min above max in a distribution',
    changed('size: 4KiB }', 'size_spec: { type: uniform, min: 8KiB, max: 4KiB } }'),
    /:6:48: prepare\.ensure_objects\[0\]\.size_spec min is larger than max/,
  ],
  [
    'an unknown distribution',
    changed('size: 4KiB }', 'size_spec: { type: zipf, min: 1 } }'),
    /size_spec\.type must be uniform, lognormal or fixed, not "zipf"/,
  ],
  [
    'weights of 0',
    changed('weight: 3', 'weight: 0').replace('object_size', 'weight: 0, object_size'),
    /stage "read": every weight is 0/,
  ],
  [
    'no workload',
    changed(
      "workload:\n  - { op: get, path: 'data/*', weight: 3 }\n  - { op: put, path: 'new/', object_size: 4KiB }\n",
      '',
    ),
    /stage "read": there is no workload/,
  ],
  [
    'nothing to prepare',
    changed('prepare:\n  ensure_objects:\n    - { base_uri: data/, count: 10, size: 4KiB }\n', ''),
    /stage "fill": there is no prepare section/,
  ],
  ['no stages', 'target: null:///x/\ndistributed: { stages: [] }\n', /distributed\.stages is empty/],
  [
    'an empty command',
    changed('type: validation', "type: custom, command: ''"),
    /command must be a command, not an empty text/,
  ],
  [
    'a wrong environment',
    changed('type: validation', 'type: custom, command: x, env: { "a b": c }'),
    /env\.a b: must be the name of an environment variable/,
  ],
  [
    'no endpoints',
    changed('concurrency: 2', 'multi_endpoint: { endpoints: [] }'),
    /multi_endpoint\.endpoints must have at least 1 entries/,
  ],
]

describe('refused with PLAN_INVALID and its place:', () => {
  it.each(INVALID)('%s', (_, yaml, message) => {
    const error = refusal(yaml)
    expect(error.message).toMatch(message)
    expect(error).toMatchObject({ code: 'PLAN_INVALID', exitCode: 2 })
  })
})

const bomb = `a: &a [1,1,1,1,1,1,1,1,1,1]
${[...'bcdefghi'].map((name, at) => `${name}: &${name} [${Array(10).fill(`*${'abcdefghi'[at]}`).join(',')}]`).join('\n')}
`

const SYNTAX: readonly [what: string, text: string, message: RegExp][] = [
  ['nothing', '', /:1:1: a plan is a mapping/],
  ['blanks', ' \n\n', /a plan is a mapping/],
  ['a comment', '# nothing\n', /a plan is a mapping/],
  ['a list', '- a\n', /a plan is a mapping/],
  ['a word', 'hello', /a plan is a mapping/],
  ['null', 'null\n', /a plan is a mapping/],
  ['two documents', `${GOOD}---\n${GOOD}`, /more than one document|multiple documents/i],
  ['an open list', 'target: [a\n', /p\.yaml:2:1: /],
  ['what is wrong further down', changed('order: 2, ', 'order: 2 ]'), /p\.yaml:14:\d+: /],
  [
    'a duplicate key',
    changed('concurrency: 2', 'concurrency: 2\nconcurrency: 3'),
    /:3:1: the key "concurrency" is there twice/,
  ],
  ['a key that is a list', '[a, b]: c\n', /keys must be plain words/],
  ['zeros', '\0\0\0\0', /p\.yaml:1:1: /],
  ['what speaks to terminals', '"\\e]0;x\\a": *b', /^[^\p{Cc}]+\n[^\p{Cc}]+\n[^\p{Cc}]+$/u],
  ['an unknown alias', 'target: *nobody\n', /nobody/],
  ['billions of laughs', bomb, /aliases repeat too much/],
  ['an alias within itself', 'a: &a [*a]\n', /nested more than 64 deep|aliases repeat too much/],
  ['deep lists', `a: ${'['.repeat(500)}${']'.repeat(500)}\n`, /nested more than 64 deep/],
  ['very deep lists', `a: ${'['.repeat(100_000)}`, /nested more than 64 deep|p\.yaml:1:/],
  [
    'very deep mappings',
    `${Array.from({ length: 1000 }, (_, at) => `${' '.repeat(at)}a:`).join('\n')}\n`,
    /nested more than 64 deep/,
  ],
]

describe('refused with PLAN_SYNTAX:', () => {
  it.each(SYNTAX)('%s', (_, text, message) => {
    const error = refusal(text)
    expect(error.message).toMatch(message)
    expect(error).toMatchObject({ code: 'PLAN_SYNTAX', exitCode: 2 })
  })
})

it('a megabyte and more is refused as such', () => {
  expect(refusal(`a: ${'x'.repeat(1024 * 1024)}`).code).toBe('PLAN_TOO_LARGE')
})

it('twenty thousand wrong keys show twenty', () => {
  const lines = Array.from({ length: 20_000 }, (_, at) => `wrong${at}: 1`).join('\n')
  const { message } = refusal(lines)
  expect(message.split('\n')).toHaveLength(61)
  expect(message).toMatch(/\.\.\. and 21 more problems$/)
})

const MEGABYTE = 1_000_000

/** Texts that are small enough to be read, and made to cost time or memory. */
const BOMBS: readonly [what: string, text: string][] = [
  ['values', `a: [${'1,'.repeat(MEGABYTE / 2)}]`],
  ['items', '- a\n'.repeat(MEGABYTE / 4)],
  ['empty lines', '\n'.repeat(MEGABYTE)],
  ['comments', '#\n'.repeat(MEGABYTE / 2)],
  ['open lists', '['.repeat(MEGABYTE)],
  ['open mappings', '{a: '.repeat(MEGABYTE / 4)],
  ['lists in lists', '- '.repeat(MEGABYTE / 2)],
  ['keys of keys', '? '.repeat(MEGABYTE / 2)],
  ['mappings on one line', 'a: '.repeat(MEGABYTE / 3)],
  ['aliases', `a: &a [1]\nb: [${'*a,'.repeat(MEGABYTE / 3)}]`],
  ['merges', '<<: *a\n'.repeat(MEGABYTE / 8)],
  ['tags', '!!x '.repeat(MEGABYTE / 4)],
  ['directives', '%YAML 1.2\n'.repeat(MEGABYTE / 10)],
  ['documents', '---\n'.repeat(MEGABYTE / 4)],
  ['lines of a text', `target: >\n${' x\n\n'.repeat(MEGABYTE / 4)}`],
  ['escapes', `target: "${'\\u0041'.repeat(MEGABYTE / 6)}"`],
  ['digits', `concurrency: ${'9'.repeat(MEGABYTE)}`],
  ['digits of a duration', `duration: ${'9'.repeat(MEGABYTE - 20)}!`],
  ['letters of a key', `? ${'x'.repeat(MEGABYTE)}\n: 1`],
  ['stages', `distributed:\n  stages:\n${'    - { name: s, order: 1, wrong: 2 }\n'.repeat(MEGABYTE / 40)}`],
]

it.each(BOMBS)('a megabyte of %s costs little, and is refused as a plan', (_, text) => {
  const before = process.cpuUsage()
  expect(refusal(text).message.length).toBeLessThan(20_000)
  const { user, system } = process.cpuUsage(before)
  // Time of the processor: others may use this machine as well.
  expect((user + system) / 1000).toBeLessThan(2500)
})

it('a long list on one line is no depth', () => {
  const pairs = Array.from({ length: 200 }, (_, at) => `K${at}: v`).join(', ')
  const plan = parsePlan(changed('type: validation', `type: custom, command: x, env: { ${pairs} }`))
  expect(plan.stages[0]?.workFor('a')).toMatchObject({ env: { K199: 'v' } })
})

it('aliases are allowed where they repeat little', () => {
  const plan = parsePlan(
    changed('{ base_uri: data/, count: 10, size: 4KiB }', '&set { base_uri: data/, count: 10 }\n    - *set'),
  )
  expect(plan.stages[1]?.workFor('a')).toMatchObject({ objects: [{ count: 10 }, { count: 10 }] })
})

it('whatever is made of a plan, it is accepted or refused as a plan', () => {
  const random = new Prng(20_261_125)
  const scraps = [
    '[',
    ']',
    '{',
    '}',
    ':',
    '- ',
    '"',
    "'",
    '&a ',
    '*a',
    '!!binary ',
    '|',
    '>',
    '\t',
    '\n',
    '#',
    '%',
    '@',
    '0x',
    '-',
    '1e999',
    '~',
    '\u0000',
    '\u{1f600}',
    ' '.repeat(40),
    '<<: ',
    '? ',
  ]
  for (let round = 0; round < 400; round++) {
    let text = GOOD
    for (let changes = 1 + random.int(0, 4 - 1); changes > 0; changes--) {
      const at = random.int(0, text.length - 1)
      const length = random.int(0, 3 - 1) === 0 ? random.int(0, 30 - 1) : 0
      text =
        text.slice(0, at) +
        (random.int(0, 4 - 1) === 0 ? '' : (scraps[random.int(0, scraps.length - 1)] ?? '')) +
        text.slice(at + length)
    }
    try {
      parsePlan(text)
    } catch (error) {
      if (!(error instanceof PlanError)) throw new Error(`round ${round}: ${error}\n${text}`, { cause: error })
    }
  }
})
