/** argv -> command -> exit code. Prints expected errors without a stack. */

import { parseCommandLine } from './args.ts'
import { describeFailure, type Failure } from './failure.ts'
import type { Command } from './flags.ts'

/** Resolves to the exit code; never rejects. */
export async function runCommand(argv: readonly string[]): Promise<number> {
  try {
    return await dispatch(parseCommandLine(argv, process.env))
  } catch (error) {
    const failure = describeFailure(error)
    // Whoever asked for a document gets one, whatever happens.
    if (argv.includes('--json')) process.stdout.write(failureDocument(failure))
    if (failure.expected) process.stderr.write(`paceline: ${failure.message}${codeShown(failure)}\n`)
    else process.stderr.write(`paceline: this is a defect, please report it: ${stackOf(error)}\n`)
    return failure.exitCode
  }
}

/** Each command is loaded only when it is wanted: libp2p alone takes longer to load than most commands to run. */
async function dispatch(command: Command): Promise<number> {
  switch (command.name) {
    case 'help': {
      const { renderHelp } = await import('./help.ts')
      process.stdout.write(renderHelp(command.topic))
      return 0
    }
    case 'version': {
      const { ownVersion } = await import('./version.ts')
      process.stdout.write(`${ownVersion()}\n`)
      return 0
    }
    case 'run':
      return await (await import('./run.ts')).runLocally(command)
    case 'node':
      return await (await import('./node.ts')).runNode(command)
    case 'submit':
      return await (await import('./submit.ts')).submitPlan(command)
    case 'status':
      return await (await import('./status.ts')).showStatus(command)
    case 'abort':
      return await (await import('./abort.ts')).abortPlan(command)
    case 'validate':
      return await (await import('./validate.ts')).validatePlan(command)
    case 'report':
      return await (await import('./rebuild-report.ts')).rebuildReport(command)
    case 'keygen':
      return await (await import('./keygen.ts')).makeKey(command)
    case 'completion': {
      const { completionScript } = await import('./completion/mod.ts')
      process.stdout.write(completionScript(command.shell))
      return 0
    }
  }
}

/** To look it up in docs/troubleshooting.md; what is wrong with a plan or a command line says all by itself. */
function codeShown({ code, message }: Failure): string {
  return code === 'USAGE' || message.includes('\n') ? '' : ` [${code}]`
}

function failureDocument({ code, message, exitCode }: Failure): string {
  return `${JSON.stringify({ error: { code, message }, exit: exitCode }, null, 2)}\n`
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
