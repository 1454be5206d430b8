/** Numbers for people. Pure. */

/** @param {number} value */
export function count(value) {
  return Math.round(value).toLocaleString('en-US')
}

/**
 * Three digits, with k and M for thousands and millions.
 * @param {number} value
 */
export function rate(value) {
  const size = Math.abs(value)
  if (size >= 1e9) return `${digits(value / 1e9)} G`
  if (size >= 1e6) return `${digits(value / 1e6)} M`
  if (size >= 1e4) return `${digits(value / 1e3)} k`
  return digits(value)
}

/** @param {number} mib */
export function bandwidth(mib) {
  return Math.abs(mib) >= 1024 ? `${digits(mib / 1024)} GiB/s` : `${digits(mib)} MiB/s`
}

/** @param {number} bytes */
export function bytes(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let [value, at] = [bytes, 0]
  while (value >= 1024 && at < units.length - 1) [value, at] = [value / 1024, at + 1]
  return `${at === 0 ? count(value) : digits(value)} ${units[at]}`
}

/**
 * Microseconds in the unit that keeps them short.
 * @param {number} us
 */
export function latency(us) {
  if (us < 1e3) return `${digits(us)} µs`
  if (us < 1e6) return `${digits(us / 1e3)} ms`
  return `${digits(us / 1e6)} s`
}

/** @param {number} ms */
export function milliseconds(ms) {
  return latency(ms * 1000)
}

/** @param {number} value */
export function seconds(value) {
  if (value >= 3600) return `${Math.floor(value / 3600)} h ${Math.round((value % 3600) / 60)} min`
  if (value >= 120) return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`
  return value === 0 || value >= 1 ? `${digits(value)} s` : latency(value * 1e6)
}

/**
 * A moment after the start: "12.3 s", "4:05", "1:04:05".
 * @param {number} value
 */
export function moment(value) {
  if (value < 120) return `${value < 10 ? value.toFixed(2) : value.toFixed(1)} s`
  const [hours, minutes, rest] = [Math.floor(value / 3600), Math.floor(value / 60) % 60, Math.floor(value % 60)]
  const tail = `${hours > 0 ? String(minutes).padStart(2, '0') : minutes}:${String(rest).padStart(2, '0')}`
  return hours > 0 ? `${hours}:${tail}` : tail
}

/**
 * As a mark of an axis: "10 ms" for "10.0 ms".
 * @param {string} text
 */
export function plain(text) {
  return text.replace(/(\.\d*?)0+(?= |$)/, '$1').replace(/\.(?= |$)/, '')
}

/** @param {number} share */
export function percent(share) {
  return `${(share * 100).toFixed(0)} %`
}

/**
 * @param {number} number
 * @param {string} one
 * @param {string} [many]
 */
export function plural(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`
}

/** @param {number} value */
function digits(value) {
  const size = Math.abs(value)
  if (size === 0) return '0'
  if (size >= 100) return count(value)
  return size >= 10 ? value.toFixed(1) : value.toFixed(2)
}
