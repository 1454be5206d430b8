/**
 * npm run docs: writes what comes from the code: the parts of docs/*.md between `<!-- made from: NAME -->` and
 * `<!-- end -->`, and the JSON Schema of plans. A test compares them.
 */

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { commandsTable } from './sections/commands.ts'
import { eventsTable } from './sections/events.ts'
import { metricsTable } from './sections/metrics.ts'
import { planJsonSchema, planReference } from './sections/plan.ts'

const folder = import.meta.dirname ?? 'docs'

const sections: Readonly<Record<string, () => string>> = {
  commands: commandsTable,
  events: eventsTable,
  metrics: metricsTable,
  plan: planReference,
}

export interface Page {
  readonly file: string
  readonly text: string
  readonly wanted: string
}

/** Every page with a made part, as it is and as it should be. Throws on a part that nobody makes. */
export function pages(): Page[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.md'))
  return [planSchemaPage(), ...names.map(markdownPage)]
}

function planSchemaPage(): Page {
  const file = path.join(folder, 'plan.schema.json')
  return { file, text: existsSync(file) ? readFileSync(file, 'utf8') : '', wanted: planJsonSchema() }
}

function markdownPage(name: string): Page {
  const file = path.join(folder, name)
  const text = readFileSync(file, 'utf8')
  const wanted = text.replace(/(<!-- made from: (\w+) -->\n)[\s\S]*?(<!-- end -->)/g, (_, head, section, tail) => {
    const make = sections[section]
    if (make === undefined) throw new Error(`${name}: nothing makes the part "${section}"`)
    return `${head}\n${make()}\n${tail}`
  })
  return { file, text, wanted }
}

if (process.argv[1] === import.meta.filename) {
  for (const { file, text, wanted } of pages()) if (text !== wanted) writeFileSync(file, wanted)
}
