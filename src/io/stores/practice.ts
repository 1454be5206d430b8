/** Files for practice: every one of them is a device that has nothing and keeps nothing. No storage is touched. */

import { closeSync, constants, openSync } from 'node:fs'
import { bestCalls } from './best-calls.ts'
import type { FileAccess, HeldFolder } from './calls.ts'

const FOLDER = '/dev/'
const DEVICE = 'null'

/** By the calls that real files are reached by. Throws a system error where there is no such device. */
export function practiceFiles(): FileAccess {
  const real = bestCalls(true)
  const folder: HeldFolder = { fd: openSync(FOLDER, constants.O_RDONLY), prefix: FOLDER }
  return {
    folders: { hold: () => folder, forget: () => {}, close: () => closeSync(folder.fd) },
    calls: {
      open: () => real.open(folder, DEVICE, constants.O_RDWR),
      close: (fd) => real.close(fd),
      // As if all of it had been there.
      read: (fd, buffer, length, position) => real.read(fd, buffer, length, position) + length,
      write: (fd, data, position) => real.write(fd, data, position),
      truncate: () => {},
      lookAt: (fd) => real.lookAt(fd),
      sizeOf: () => real.sizeOf(folder, DEVICE),
      // The device stays.
      remove: () => {},
      entries: () => [],
    },
  }
}
