/** What is told of an error: one that was foreseen is a sentence, anything else is a defect. */

import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { PacelineError } from '../../src/cli/errors.ts'
import { describeFailure } from '../../src/cli/failure.ts'

function thrown(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  throw new Error('Nothing was thrown')
}

it.each([
  ['one of the command line', new PacelineError('USAGE', 'x', { exitCode: 2 }), { code: 'USAGE', exitCode: 2 }],
  ['one of the system', thrown(() => readFileSync('/nowhere/at/all')), { code: 'ENOENT', exitCode: 1 }],
  ['a wrong address', Object.assign(new Error('x'), { code: 'MESH_ADDRESS' }), { code: 'MESH_ADDRESS', exitCode: 2 }],
])('%s is expected', (_, error, failure) => {
  expect(describeFailure(error)).toMatchObject({ ...failure, expected: true })
})

it.each([
  ['an error without a code', new Error('x')],
  ['what is no error', 'x'],
  ['a wrong call of the runtime', thrown(() => Buffer.alloc(-1))],
  ['one with a wrong type', thrown(() => Buffer.from(null as unknown as string))],
])('%s is a defect', (_, error) => {
  expect(describeFailure(error)).toMatchObject({ code: 'DEFECT', exitCode: 1, expected: false })
})
