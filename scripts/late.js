// For the bundle: what a file takes from others, and from Node, is loaded when it is first used. A peer that waits for a plan
// never needs to read plans, to write results, or half of what Node brings along.
import { parseAst } from 'rolldown/parseAst'

/** Names that the bundler gives to other files and to parts of Node; nothing else is called so. */
const GIVEN = /^(?:require|node|dns)_/

/** Each `const name = require(...)` at the top becomes a function of this name, each use of it a call. */
export function loadLate(code) {
  const { body } = parseAst(code)
  const loads = new Map()
  for (const statement of body) noteLoad(statement, loads)
  const uses = new Map([...loads.keys()].map((name) => [name, []]))
  for (const statement of body) {
    if (!isOfLoad(statement, loads)) walk(statement, undefined, (node, parent) => noteUse(node, parent, uses))
  }
  const edits = []
  for (const [name, { statements, expression }] of loads) {
    const [first, ...others] = statements
    edits.push({ ...placeOf(first), text: lateLoad(name, expression(code)) })
    for (const other of others) edits.push({ ...placeOf(other), text: '' })
    for (const { start, end } of uses.get(name)) edits.push({ start, end, text: `(${name}())` })
  }
  return edited(code, edits)
}

const placeOf = ({ start, end }) => ({ start, end })

const lateLoad = (name, expression) => `let loaded_${name}; const ${name} = () => loaded_${name} ??= ${expression};`

/** `const name = require("x")`, and `name = toESM(name, 1)` behind it. */
function noteLoad(statement, loads) {
  if (statement.type === 'VariableDeclaration' && statement.declarations.length === 1) {
    const { id, init } = statement.declarations[0]
    const isLoad = init?.type === 'CallExpression' && init.callee.name === 'require'
    if (!isLoad || id.type !== 'Identifier' || !GIVEN.test(id.name) || id.name === 'require_rolldown_runtime') return
    loads.set(id.name, { statements: [statement], expression: (code) => code.slice(init.start, init.end) })
  }
  const { left, right } = statement.expression ?? {}
  const load = left?.type === 'Identifier' ? loads.get(left.name) : undefined
  if (load === undefined) return
  const [loaded] = right.arguments
  const inner = load.expression
  load.statements.push(statement)
  load.expression = (code) => code.slice(right.start, loaded.start) + inner(code) + code.slice(loaded.end, right.end)
}

const isOfLoad = (statement, loads) => [...loads.values()].some(({ statements }) => statements.includes(statement))

function noteUse(node, parent, uses) {
  if (node.type !== 'Identifier' || !uses.has(node.name)) return
  const isKey =
    (parent.type === 'MemberExpression' && parent.property === node && !parent.computed) ||
    (parent.type === 'Property' && parent.key === node && !parent.computed && !parent.shorthand)
  if (isKey) return
  // Everything but a value that is read: the bundler has changed its ways.
  const isRead =
    ['MemberExpression', 'CallExpression', 'ReturnStatement'].includes(parent.type) ||
    (parent.type === 'ArrowFunctionExpression' && parent.body === node)
  if (!isRead) throw new Error(`${node.name} is used in a ${parent.type}`)
  uses.get(node.name).push(node)
}

function walk(node, parent, visit) {
  visit(node, parent)
  for (const value of Object.values(node)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (typeof one?.type === 'string') walk(one, node, visit)
    }
  }
}

function edited(code, edits) {
  let at = 0
  let text = ''
  for (const { start, end, text: instead } of edits.sort((a, b) => a.start - b.start)) {
    text += code.slice(at, start) + instead
    at = end
  }
  return text + code.slice(at)
}
