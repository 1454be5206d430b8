/** `paceline submit`: hands a plan to a run and follows it to its end. */

import { tellEnd } from './ending.ts'
import type { SubmitCommand } from './flags.ts'
import { joinAsClient } from './mesh-options.ts'
import { tellNotices } from './notices.ts'
import { readPlanFile } from './plan/mod.ts'
import { checkWritable } from './results/mod.ts'
import { followSession } from './session.ts'
import { watchSignals } from './signals.ts'

export async function submitPlan(command: SubmitCommand): Promise<number> {
  const plan = await readPlanFile(command.plan)
  tellNotices(plan, command.agents)
  if (command.detach && command.out !== null) {
    process.stderr.write(`warning: --detach does not wait for results: none are written to ${command.out}\n`)
  } else if (command.out !== null) await checkWritable(command.out)
  const mesh = await joinAsClient(command)
  try {
    const end = await followSession({
      mesh,
      runId: command.runId,
      plan,
      agents: command.agents,
      detach: command.detach,
      out: command.out,
      quiet: command.json,
      signals: watchSignals(),
      quitBeforeStart: false,
      onStarted: () => {},
    })
    tellEnd(end, { runId: command.runId, json: command.json })
    return end.exit
  } finally {
    await mesh.close()
  }
}
