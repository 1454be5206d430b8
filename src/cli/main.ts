/** The program: started directly or by bin/paceline.js. The only place that ends the process. */

import { runCommand } from './command.ts'
import { followStarter } from './starter.ts'

followStarter()
process.exit(await runCommand(process.argv.slice(2)))
