import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

/** A byte kept of each operation would be seen: there are millions of them. */
it('memory does not grow with objects and operations (more of them: npm run bench:memory)', async () => {
  const script = fileURLToPath(new URL('../../bench/memory/main.ts', import.meta.url))
  const listings = ['--listed', '100000', '--deleted', '5000']
  const flags = ['--objects', '500000', '--seconds', '3', '--grow-mib', '40', ...listings]
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...flags])
  const [prepare, execute, list, get, cleanup] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(prepare).toMatchObject({ stage: 'prepare', ops: 500_000 })
  expect(execute.ops).toBeGreaterThan(200_000)
  expect([list.ops, get.ops, cleanup.ops]).toEqual([1, 1000, 5000])
})
