// node scripts/with-node.js FILE [ARG ...]: runs a script on a Node that is new enough.
import { become, findNode } from './runtime.js'

const node = findNode()
if (node === undefined) {
  process.stderr.write(`Node ${process.versions.node} is too old: run "node scripts/setup.js" first\n`)
  process.exit(2)
}
become(node, process.argv.slice(2))
