/** Sizes, durations and counts as people write them. Pure; undefined for what is none. */

const sizeUnits: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1000,
  kb: 1000,
  ki: 1024,
  kib: 1024,
  m: 1000 ** 2,
  mb: 1000 ** 2,
  mi: 1024 ** 2,
  mib: 1024 ** 2,
  g: 1000 ** 3,
  gb: 1000 ** 3,
  gi: 1024 ** 3,
  gib: 1024 ** 3,
  t: 1000 ** 4,
  tb: 1000 ** 4,
  ti: 1024 ** 4,
  tib: 1024 ** 4,
  p: 1000 ** 5,
  pb: 1000 ** 5,
  pi: 1024 ** 5,
  pib: 1024 ** 5,
}

const timeUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  sec: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** Bytes. `4KiB`, `1 MB`, `64k` (decimal, as in sai3-bench), `1.5 GiB`, `10,000`. */
export function parseSize(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined
  if (typeof value !== 'string') return undefined
  const match = value.trim().match(/^([\d,_ ]*\d(?:\.\d+)?)\s*([A-Za-z]*)$/)
  const unit = sizeUnits[(match?.[2] ?? '?').toLowerCase()]
  const amount = plainNumber(match?.[1])
  if (unit === undefined || amount === undefined) return undefined
  const bytes = Math.round(amount * unit)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** Milliseconds. `30s`, `5m`, `500ms`, `1h30m`, plain seconds. */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value * 1000 : undefined
  if (typeof value !== 'string') return undefined
  const text = value.trim().toLowerCase()
  const plain = plainNumber(text)
  if (plain !== undefined) return plain * 1000
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)\s*/g)]
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) return undefined
  let total = 0
  for (const [, amount, unit] of parts) {
    const factor = timeUnits[unit ?? '']
    if (factor === undefined) return undefined
    total += Number(amount) * factor
  }
  return total
}

/** A whole number from 0: `10000`, `10,000`, `10_000`, `10 000`. */
export function parseCount(value: unknown): number | undefined {
  const number = parseNumber(value)
  return Number.isSafeInteger(number) ? number : undefined
}

/** A number from 0, with or without a fraction. */
export function parseNumber(value: unknown): number | undefined {
  const number = typeof value === 'number' ? value : typeof value === 'string' ? plainNumber(value.trim()) : undefined
  return number !== undefined && Number.isFinite(number) && number >= 0 ? number : undefined
}

function plainNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d[\d,_ ]*(\.\d+)?$/.test(text)) return undefined
  // Separators stand between groups of three, or not at all.
  const [whole = '', fraction] = text.split('.')
  if (/[,_ ]/.test(whole) && !/^\d{1,3}([,_ ]\d{3})+$/.test(whole)) return undefined
  return Number(`${whole.replace(/[,_ ]/g, '')}${fraction === undefined ? '' : `.${fraction}`}`)
}
