/** Changes one place of a JSON document. */
export function setAt(document: unknown, path: readonly string[], value: unknown): void {
  const [key = '', ...rest] = path
  if (typeof document !== 'object' || document === null) throw new Error(`there is no ${key}`)
  const record = document as Record<string, unknown>
  if (rest.length === 0) record[key] = value
  else setAt(record[key], rest, value)
}
