/**
 * The page around the data: one HTML document that needs nothing else. Its scripts are the files of `page/`, joined into
 * one module without a build step; its policy lets nothing run but them, whatever text a plan or a peer brings along.
 */

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { bundle, pageFile } from './bundle.ts'

/** Later ones have the last word. */
const STYLES = ['base', 'figures', 'timeline', 'chart', 'narrow', 'print'] as const

export interface PageOptions {
  /** Before the page has its data. */
  readonly title: string
  /** What starts the page: a file of `page/` that brings data to it. */
  readonly main: string
  /** For the page's scripts, as <script type="application/json" id="data">; null for none. */
  readonly data: unknown
  /** Shown where scripts do not run. */
  readonly text: string
  /** Style sheets of `page/` beside those of every page, without their extension. */
  readonly styles?: readonly string[]
  /** Addresses that scripts may ask, as in a Content-Security-Policy. */
  readonly connect?: string
}

export function renderPage({ title, main, data, text, styles: more = [], connect = "'none'" }: PageOptions): string {
  const styles = [library('uPlot.min.css'), ...[...STYLES, ...more].map((name) => pageFile(`${name}.css`))].join('\n')
  const scripts = [chartLibrary(), bundle(main)]
  const policy = [
    "default-src 'none'",
    `script-src ${scripts.map(hashOf).join(' ')}`,
    // Positions of bars are set by script, which needs no permission.
    `style-src ${hashOf(styles)}`,
    `connect-src ${connect}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${styles}</style>
</head>
<body>
<noscript><h1>${escapeHtml(title)}</h1><pre>${escapeHtml(text)}</pre></noscript>
${data === null ? '' : `<script type="application/json" id="data">${escapeJson(data)}</script>\n`}<script>${scripts[0]}</script>
<script type="module">${scripts[1]}</script>
</body>
</html>
`
}

/** JSON that cannot end the element it is in. */
function escapeJson(document: unknown): string {
  return JSON.stringify(document)
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029')
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

function chartLibrary(): string {
  return `/*! uPlot\n${library('../LICENSE')}*/\n${library('uPlot.iife.min.js').replace(/^\/\*![\s\S]*?\*\/\s*/, '')}`
}

function library(name: string): string {
  const dist = new URL('.', `file://${createRequire(import.meta.url).resolve('uplot/dist/uPlot.min.css')}`)
  return readFileSync(new URL(name, dist), 'utf8')
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
