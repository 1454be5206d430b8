#!/usr/bin/env node
// Starts paceline on Node; where this Node is too old, on the one that scripts/setup.js put into node_modules.
import { fileURLToPath, pathToFileURL } from 'node:url'
import { freshBundle } from '../scripts/bundle.js'
import { runCompiled } from '../scripts/compiled.js'
import { installedMain } from '../scripts/dist.js'
import { become, findNode, keepCompiled } from '../scripts/runtime.js'

const node = findNode()
keepCompiled()
if (node === process.execPath) {
  const installed = installedMain()
  const bundle = installed === undefined ? freshBundle() : undefined
  if (installed !== undefined) await import(pathToFileURL(installed).href)
  else if (bundle !== undefined) runCompiled(bundle)
  else await import('../src/cli/main.ts')
} else if (node !== undefined) {
  become(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)])
} else {
  process.stderr.write(
    `paceline needs Node 22.18 or later, this is ${process.versions.node}: run "npm start" or "node scripts/setup.js" ` +
      'in its folder once (it fetches a local Node), or use "deno task paceline"\n',
  )
  process.exit(2)
}
