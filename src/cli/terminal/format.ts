/** Figures for people. Pure. */

export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** Binary units, three digits. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 ? String(Math.round(value)) : threeDigits(value)} ${units[unit]}`
}

/** "850 ms", "4.2 s", "3m 05s", "2h 10m". */
export function formatSeconds(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 60) return `${threeDigits(seconds)} s`
  const whole = Math.round(seconds)
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${String(whole % 60).padStart(2, '0')}s`
  return `${Math.floor(whole / 3600)}h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')}m`
}

/** "9.8 us", "1.25 ms", "2.1 s". */
export function formatNanoseconds(ns: number): string {
  if (ns < 1000) return `${Math.round(ns)} ns`
  if (ns < 1e6) return `${threeDigits(ns / 1e3)} us`
  if (ns < 1e9) return `${threeDigits(ns / 1e6)} ms`
  return `${threeDigits(ns / 1e9)} s`
}

/** "812", "23.4 k", "1.20 M". */
export function formatRate(perSecond: number): string {
  if (perSecond < 1000) return String(Math.round(perSecond))
  if (perSecond < 1e6) return `${threeDigits(perSecond / 1e3)} k`
  return `${threeDigits(perSecond / 1e6)} M`
}

function threeDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0)
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2)
}

/** Rows of cells as lines of aligned columns. */
export function renderColumns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length)
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
