#!/usr/bin/env node
// Starts paceline on Node; where this Node is too old, on the one that scripts/setup.js put into node_modules.
import { fileURLToPath } from 'node:url'
import { become, findNode, keepCompiled } from '../scripts/runtime.js'

const main = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url))
const node = findNode()
keepCompiled()
if (node === process.execPath) {
  await import('../src/cli/main.ts')
} else if (node !== undefined) {
  become(node, [main, ...process.argv.slice(2)])
} else {
  process.stderr.write(
    `paceline needs Node 22.18 or later, this is ${process.versions.node}: run "npm start" or "node scripts/setup.js" ` +
      'in its folder once (it fetches a local Node), or use "deno task paceline"\n',
  )
  process.exit(2)
}
