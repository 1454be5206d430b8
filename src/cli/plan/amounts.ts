/** How much a plan makes. Pure. */

import type { ObjectSet, TreeSpec } from '../../io/mod.ts'

/** Files of a tree. */
export function treeFiles({ width, depth, distribution, filesPerDir }: TreeShape): number {
  let folders = 0
  for (let level = 1; level <= depth; level++) folders = (distribution === 'all' ? folders : 0) + width ** level
  return folders * filesPerDir
}

type TreeShape = Pick<TreeSpec, 'width' | 'depth' | 'distribution' | 'filesPerDir'>

export function meanBytes({ size }: Pick<ObjectSet, 'size'>): number {
  if (size.kind === 'fixed') return size.bytes
  return size.kind === 'uniform' ? (size.min + size.max) / 2 : Math.min(size.max, Math.max(size.min, size.mean))
}
