/**
 * Elements without markup: whatever plans and peers put into their names is text, never HTML.
 * @typedef {Node | string | number | null | false} Child
 * @typedef {Record<string, string | number | boolean | null | ((event: Event) => void) | Record<string, string>>} Attributes
 */

/**
 * `on...` are listeners, `style` sets properties, `true` and `false` switch an attribute.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Attributes} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false) continue
    if (typeof value === 'function') element.addEventListener(name.slice(2), value)
    else if (typeof value === 'object') {
      for (const [property, text] of Object.entries(value)) element.style.setProperty(property, text)
    } else element.setAttribute(name, value === true ? '' : String(value))
  }
  append(element, children.flat())
  return element
}

/**
 * @param {Element} element
 * @param {readonly Child[]} children
 */
export function append(element, children) {
  for (const child of children) {
    if (child !== null && child !== false) element.append(child instanceof Node ? child : String(child))
  }
}

/**
 * @param {Element} element
 * @param {...(Child | Child[])} children
 */
export function fill(element, ...children) {
  element.replaceChildren()
  append(element, children.flat())
}

/**
 * "12 ms" with a smaller unit.
 * @param {string} text
 */
export function withUnit(text) {
  const at = text.indexOf(' ')
  return at === -1 ? [text] : [text.slice(0, at), h('small', {}, ` ${text.slice(at + 1)}`)]
}

/**
 * A part of the page under a heading.
 * @param {string} id
 * @param {string} title
 * @param {...(Child | Child[])} content
 */
export function section(id, title, ...content) {
  const heading = `${id}-title`
  return h('section', { id, 'aria-labelledby': heading }, h('h2', { id: heading }, title), ...content)
}

let used = 0

/**
 * An ID that no other element of the page has.
 * @param {string} prefix
 */
export function newId(prefix) {
  used += 1
  return `${prefix}-${used}`
}

/**
 * Buttons of which one is chosen.
 * @template {string} T
 * @param {string} label
 * @param {readonly (readonly [T, string])[]} choices
 * @param {T} chosen
 * @param {(choice: T) => void} onChoose
 */
export function choiceOf(label, choices, chosen, onChoose) {
  const buttons = choices.map(([value, text]) =>
    h(
      'button',
      {
        type: 'button',
        'aria-pressed': String(value === chosen),
        onclick: () => {
          for (const [at, button] of buttons.entries()) {
            button.setAttribute('aria-pressed', String(choices[at]?.[0] === value))
          }
          onChoose(value)
        },
      },
      text,
    ),
  )
  return h('div', { class: 'choice', role: 'group', 'aria-label': label }, buttons)
}

/**
 * A list to choose from. Its options are made anew only where they are others: whoever is choosing would lose the place.
 * @param {string} label
 * @param {(choice: string) => void} onChoose
 */
export function selectOf(label, onChoose) {
  const id = newId('select')
  const select = h('select', { id, onchange: () => onChoose(select.value) })
  let offered = ''
  return {
    element: h('span', { class: 'field' }, h('label', { for: id }, label), select),
    /**
     * @param {readonly (readonly [string, string])[]} options
     * @param {string} chosen
     */
    update(options, chosen) {
      const offers = JSON.stringify(options)
      if (offers !== offered) {
        fill(
          select,
          options.map(([value, text]) => h('option', { value }, text)),
        )
      }
      offered = offers
      select.value = chosen
    },
  }
}

/**
 * What a picture shows, for those who do not see it.
 * @param {string} summary
 * @param {...(Child | Child[])} content
 */
export function alternative(summary, ...content) {
  return h('details', { class: 'alternative' }, h('summary', {}, summary), ...content)
}
