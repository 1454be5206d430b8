import { families } from '../../src/cli/http/mod.ts'
import { markdownTable } from './table.ts'

/** Each metric as its samples are named. */
export function metricsTable(): string {
  const rows = Object.values(families).map(({ name, type, labels, help }) => [
    `\`${name}${type === 'counter' ? '_total' : ''}\``,
    type,
    labels.length === 0 ? '' : labels.map((label) => `\`${label}\``).join(', '),
    help,
  ])
  return `${markdownTable(['metric', 'type', 'labels', 'meaning'], rows)}\n`
}
