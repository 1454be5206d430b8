/**
 * The page's own code as one script. Each file becomes a function's body that returns what the file exports, after the
 * files that it imports: enough for files that import names from each other, without a build step on either runtime.
 */

import { readFileSync } from 'node:fs'

const IMPORT = /^import (\{[^}]*\}) from '\.\/([\w-]+)\.js'$/gm
const EXPORT = /^export (?=(?:const|function) (\w+))/gm

/** `main`: name of a file in `page/`, without its extension. */
export function bundle(main: string): string {
  const done = new Map<string, string>()
  addModule(main, done)
  return [...done.values()].join('\n')
}

function addModule(name: string, done: Map<string, string>): void {
  const source = pageFile(`${name}.js`)
  for (const [, , imported = ''] of source.matchAll(IMPORT)) if (!done.has(imported)) addModule(imported, done)
  const exported = [...source.matchAll(EXPORT)].map(([, identifier]) => identifier)
  const body = source
    .replace(IMPORT, (_, names: string, from: string) => `const ${names} = ${variable(from)}`)
    .replace(EXPORT, '')
  done.set(name, `const ${variable(name)} = (() => {\n${body}\nreturn { ${exported.join(', ')} }\n})()`)
}

function variable(module: string): string {
  return `module_${module.replaceAll('-', '_')}`
}

export function pageFile(name: string): string {
  return readFileSync(new URL(`./page/${name}`, import.meta.url), 'utf8')
}
