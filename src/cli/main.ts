/** The program: started directly or by bin/paceline.js. The only place that ends the process. */

import { runCommand } from './command.ts'
import { watchStandardStreams } from './standard-streams.ts'
import { followStarter } from './starter.ts'

followStarter()
const printed = watchStandardStreams()
// Timers and sockets that do not count may be all that a command waits for at times; it ends the process itself.
setInterval(() => {}, 2 ** 30)
void runCommand(process.argv.slice(2))
  .then(printed)
  .then((code) => process.exit(code))
