/** Tables that are sorted by a press on a column's head. */

import { fill, h } from './dom.js'

/**
 * @typedef {import('./dom.js').Child} Child
 */

/**
 * `value`: what a column is sorted by, and its text unless `show` makes another.
 * @template R
 * @typedef {{
 *   readonly title: string
 *   readonly value: (row: R) => string | number | null
 *   readonly show?: (row: R) => Child | Child[]
 *   readonly hint?: string
 *   readonly left?: boolean
 * }} Column
 */

/** Characters; longer texts are broken. */
const LONG = 30

/**
 * A table of which the order survives new rows. Columns of numbers are aligned to the right, unless they say `left`.
 * @template R
 * @param {string} caption
 * @param {readonly Column<R>[]} columns
 * @returns {{ readonly element: HTMLElement, update(rows: readonly R[]): void }}
 */
export function sortableTable(caption, columns) {
  /** @type {{ at: number, down: boolean } | null} */
  let order = null
  /** @type {readonly R[]} */
  let rows = []
  const body = h('tbody')
  const heads = columns.map((column, at) =>
    h(
      'th',
      { scope: 'col' },
      h('button', { type: 'button', title: column.hint ?? null, onclick: () => sortBy(at) }, column.title),
    ),
  )
  const render = () => {
    const numeric = columns.map((column) => column.left !== true && isNumeric(column, rows))
    for (const [at, head] of heads.entries()) {
      head.classList.toggle('number', numeric[at] === true)
      if (order?.at === at) head.setAttribute('aria-sort', order.down ? 'descending' : 'ascending')
      else head.removeAttribute('aria-sort')
    }
    fill(
      body,
      sorted(rows, order, columns).map((row) => rowOf(row, columns, numeric)),
    )
  }
  /** @param {number} at */
  const sortBy = (at) => {
    // Of numbers, the highest are looked for first.
    const first = isNumeric(columns[at], rows)
    order = order?.at === at ? { at, down: !order.down } : { at, down: first }
    render()
  }
  const table = h('table', {}, h('caption', {}, caption), h('thead', {}, h('tr', {}, heads)), body)
  return {
    // Wide tables are scrolled by keyboard too.
    element: h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption }, table),
    update(fresh) {
      rows = fresh
      render()
    },
  }
}

/**
 * @template R
 * @param {Column<R> | undefined} column
 * @param {readonly R[]} rows
 */
function isNumeric(column, rows) {
  return rows.length > 0 && rows.every((row) => typeof (column?.value(row) ?? 0) === 'number')
}

/**
 * @template R
 * @param {readonly R[]} rows
 * @param {{ at: number, down: boolean } | null} order
 * @param {readonly Column<R>[]} columns
 */
function sorted(rows, order, columns) {
  const column = columns[order?.at ?? -1]
  if (order === null || column === undefined) return rows
  return [...rows].sort((a, b) => compare(column.value(a), column.value(b)) * (order.down ? -1 : 1))
}

/**
 * "agent-2" before "agent-10".
 * @param {string | number | null} a
 * @param {string | number | null} b
 */
export function compare(a, b) {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null)
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return String(a).localeCompare(String(b), 'en', { numeric: true })
}

/**
 * @template R
 * @param {R} row
 * @param {readonly Column<R>[]} columns
 * @param {readonly boolean[]} numeric
 */
function rowOf(row, columns, numeric) {
  return h(
    'tr',
    {},
    columns.map((column, at) => {
      const value = column.value(row)
      const shown = column.show?.(row) ?? value ?? '–'
      const long = typeof shown === 'string' && shown.length > LONG
      return h('td', { class: numeric[at] === true ? 'number' : long ? 'long' : null }, ...[shown].flat())
    }),
  )
}
