/** The top of every page: what made it, the way to its parts, light or dark. */

import { h } from './dom.js'
import { themeButton } from './theme.js'

/** @param {import('./dom.js').Child} [nav] */
export function topBar(nav = null) {
  const logo = h('span', { class: 'logo', 'aria-hidden': 'true' }, h('i'), h('i'), h('i'))
  return h('div', { class: 'bar' }, h('span', { class: 'brand' }, logo, 'paceline'), nav, themeButton())
}
