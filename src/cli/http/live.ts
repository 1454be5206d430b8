/** The documents that the live page is made from. */

import { now as clock, type Mesh } from '../../mesh/mod.ts'
import { compareNames } from '../names.ts'
import { type PlanNow, type ReportData, type RunNow, reportOf } from '../report/mod.ts'
import { laneOf, openAgent } from './lanes.ts'
import type { RunWatch, Watched } from './watch.ts'

export interface LiveOptions {
  readonly mesh: Mesh
  readonly watch: RunWatch
  readonly runId: string
  readonly version: string
}

export class LiveDocuments {
  readonly #options: LiveOptions
  /** Reading all histograms anew is what makes a report costly. */
  #report: { readonly watched: Watched; readonly revision: number; readonly data: ReportData } | null = null

  constructor(options: LiveOptions) {
    this.#options = options
  }

  /** As JSON; null where there is none, or none that goes with the other. */
  document(kind: 'report' | 'now'): string | null {
    const document = kind === 'report' ? this.#reportNow() : this.#isStale() ? null : this.#now()
    return document === null ? null : JSON.stringify(document)
  }

  #isStale(): boolean {
    const { plan } = this.#options.watch
    return plan !== null && (this.#report?.watched !== plan || this.#report.revision !== plan.revision)
  }

  /** Null before the first plan. */
  #reportNow(): ReportData | null {
    const { watch, version } = this.#options
    const watched = watch.plan
    if (watched === null) return null
    const { revision } = watched
    if (this.#report === null || this.#isStale()) {
      const folder = watched.results().folder(watched.end(), watched.observed)
      this.#report = { watched, revision, data: reportOf(folder, { madeBy: version }) }
    }
    return this.#report.data
  }

  #now(): RunNow {
    const { mesh, runId: run, version } = this.#options
    const { leader, term } = mesh.status()
    const peers = mesh
      .peers()
      .filter(({ role }) => role === 'agent')
      .map(({ name, runtime, version, connected }) => ({ name, runtime, version, connected }))
      .sort((a, b) => compareNames(a.name, b.name))
    return { run, node: mesh.name, version, peers, leader: leader?.name ?? null, term, plan: this.#plan() }
  }

  #plan(): PlanNow | null {
    const watched = this.#options.watch.plan
    if (watched === null || this.#report === null) return null
    const { view } = watched
    const { data: report } = this.#report
    const stage = view.stages[view.sequence - 1]
    if (view.end !== null || stage === undefined) return null
    const { sequence } = view
    const from = report.stages.at(-1)?.to ?? 0
    const seconds = (at: number) => from + Math.max(0, at - view.openedAt) / 1000
    const to = seconds(clock())
    const since = ({ peer }: { readonly peer: string }) => {
      const at = watched.changedAt.get(peer)
      return at === undefined ? undefined : seconds(at)
    }
    const lanes = { sequence, stage: stage.name, from, to, since }
    return {
      plan: report.plan,
      seconds: to,
      open: { sequence, ...stage, from, agents: view.agents.map(openAgent) },
      lanes: view.agents.map((agent) => laneOf(agent, lanes)),
      series: watched.samples.series(sequence, from),
    }
  }
}
