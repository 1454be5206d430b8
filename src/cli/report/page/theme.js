/** Light or dark: as the system has it until somebody chooses; always light on paper. */

import { h } from './dom.js'

const THEMES = /** @type {const} */ (['auto', 'light', 'dark'])
const NAMES = { auto: 'Auto', light: 'Light', dark: 'Dark' }
const STORED = 'paceline-theme'

/** @type {(() => void)[]} */
const listeners = []

/**
 * Called when colours or the paper change.
 * @param {() => void} listener
 */
export function onThemeChange(listener) {
  listeners.push(listener)
}

const probe = h('i', { hidden: true })

/**
 * A colour of the style sheet as it is now: "rgb(10, 98, 184)".
 * @param {string} name
 */
export function colour(name) {
  if (!probe.isConnected) document.body.append(probe)
  probe.style.color = `var(--${name})`
  return getComputedStyle(probe).color
}

export function themeButton() {
  let theme = storedTheme()
  const button = h('button', { type: 'button', class: 'quiet', onclick: () => show(next()) })
  const next = () => THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'auto'
  /** @param {typeof theme} chosen */
  const show = (chosen) => {
    theme = chosen
    document.documentElement.dataset.theme = chosen
    button.textContent = `Theme: ${NAMES[chosen]}`
    store(chosen)
    for (const listener of listeners) listener()
  }
  show(theme)
  for (const query of ['(prefers-color-scheme: dark)', 'print']) {
    matchMedia(query).addEventListener('change', () => {
      for (const listener of listeners) listener()
    })
  }
  return button
}

/** @returns {(typeof THEMES)[number]} */
function storedTheme() {
  try {
    const stored = localStorage.getItem(STORED)
    return THEMES.find((theme) => theme === stored) ?? 'auto'
  } catch {
    // Pages from files may have no storage: then a choice lasts as long as the page.
    return 'auto'
  }
}

/** @param {string} theme */
function store(theme) {
  try {
    localStorage.setItem(STORED, theme)
  } catch {
    // As above.
  }
}
