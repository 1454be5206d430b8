/** Memory for new pages of the page cache. */

import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { MIB } from './cases.ts'

/**
 * Takes and gives back as much as `bytes`. What has been free for seconds may be with the host of a virtual machine again, and
 * takes four times as long to write to: whether a turn gets such memory would depend on how long it takes to start.
 */
export function touchPages(folder: string, bytes: number): void {
  const file = `${folder}touched`
  const block = Buffer.alloc(MIB, 1)
  const fd = openSync(file, 'w')
  try {
    for (let at = 0; at < bytes; at += block.length) writeSync(fd, block, 0, block.length, at)
  } finally {
    closeSync(fd)
    rmSync(file)
  }
}
