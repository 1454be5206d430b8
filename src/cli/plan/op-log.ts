/** How a plan wants operations logged. */

import type { WrittenPlan } from './schema.ts'
import type { PlanSource } from './source.ts'

/** No other result file ends so: the log never takes the place of one. */
const ending = '.tsv.zst'
const nameDefault = `op_log${ending}`
const nameCharsMax = 80

/** Plans come from others: they may choose a name, never a place. Null where operations are not logged. */
export function opLogName(source: PlanSource, { op_log, op_log_path }: WrittenPlan): string | null {
  if (op_log_path === undefined) return op_log ? nameDefault : null
  const file = op_log_path.slice(op_log_path.lastIndexOf('/') + 1)
  const stem = file
    .replace(/(\.tsv)?(\.zst)?$/, '')
    .replace(/[^A-Za-z0-9._-]+/g, '_')
    .replace(/^\.+/, '')
    .slice(0, nameCharsMax)
  const name = stem === '' ? nameDefault : `${stem}${ending}`
  if (name !== op_log_path) {
    source.notice(['op_log_path'], `operations are logged in agents/<name>/${name} of the result folder of each peer`)
  }
  return name
}
