/** /metrics: what this node and the agents that it knows of do, as numbers for Prometheus. */

import prom from 'prom-client'
import type { Mesh, MeshEvent } from '../../mesh/mod.ts'
import type { AgentProgress } from '../feed.ts'
import type { Figures, RunSummary } from '../results/mod.ts'
import { ownRuntime } from '../version.ts'
import { type Family, type FamilyKey, families } from './families.ts'
import { AGENTS_MAX, Tally, WorkTally } from './tally.ts'
import type { RunWatch, Watched } from './watch.ts'

/** No bound is a whole number: those would have to be written in two ways for the two formats. */
const WAIT_BOUNDS_SECONDS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 12.5, 62.5, 312.5]
/** Samples of finished stages in one answer; stages beyond it are left out, oldest first. */
const STAGE_ROWS_MAX = 10_000

export interface MetricsOptions {
  readonly mesh: Mesh
  readonly watch: RunWatch
  readonly runId: string
  readonly version: string
}

type Labels = Readonly<Record<string, string | number>>

export interface MetricsText {
  readonly type: string
  readonly body: string
}

export class Metrics {
  readonly #options: MetricsOptions
  readonly #registry = new prom.Registry<prom.OpenMetricsContentType>()
  readonly #tally = new Tally()
  readonly #work = new WorkTally()
  readonly #sets = new Map<FamilyKey, (labels: Labels, value: number) => void>()
  readonly #waits: prom.Histogram
  readonly #latencies: StageLatencies

  constructor(options: MetricsOptions) {
    this.#options = options
    this.#registry.setContentType(prom.Registry.OPENMETRICS_CONTENT_TYPE)
    const registers = [this.#registry]
    for (const key of familyKeys()) {
      const { name, help, type, labels } = familyOf(key)
      const config = { name, help, labelNames: [...labels], registers }
      if (type === 'gauge') {
        const gauge = new prom.Gauge(config)
        this.#sets.set(key, (of, value) => gauge.set(of, value))
      } else if (type === 'counter') {
        const counter = new prom.Counter(config)
        this.#sets.set(key, (of, value) => counter.inc(of, value))
      }
    }
    const { waits, stageLatency } = families
    this.#waits = new prom.Histogram({ name: waits.name, help: waits.help, buckets: WAIT_BOUNDS_SECONDS, registers })
    this.#latencies = new StageLatencies(stageLatency, registers)
  }

  take(event: MeshEvent): void {
    this.#tally.take(event)
    if (event.type === 'decided' && event.decision.kind === 'release') this.#waits.observe(event.waitedMs / 1000)
  }

  progress(agent: string, progress: AgentProgress): void {
    this.#work.progress(agent, progress)
  }

  /**
   * OpenMetrics to who asks for it by name, as Prometheus does. Anybody else gets the same without the type of counters:
   * the two text formats name counters differently, and so every reader of either takes it.
   */
  async text(accept: string): Promise<MetricsText> {
    this.#fill()
    const body = await this.#registry.metrics()
    const type = prom.Registry.OPENMETRICS_CONTENT_TYPE
    if (accept.includes('application/openmetrics-text')) return { type, body }
    const common = body.replace(/^# HELP (\S+) (.*)\n# TYPE \1 counter$/gm, '# HELP $1_total $2')
    return { type: accept.includes('text/plain') ? prom.Registry.PROMETHEUS_CONTENT_TYPE : type, body: common }
  }

  #fill(): void {
    for (const key of familyKeys()) {
      if (key !== 'waits') this.#registry.getSingleMetric(familyOf(key).name)?.reset()
    }
    const { watch, mesh, runId: run, version } = this.#options
    this.#set('info', 1, { run, peer: mesh.name, peer_id: mesh.peerId, version, runtime: ownRuntime() })
    this.#fillMesh()
    this.#fillTally()
    this.#fillProcess()
    if (watch.plan !== null) this.#fillPlan(watch.plan)
    for (const [agent, work] of this.#work.totals) {
      this.#set('agentOps', work.ops, { agent })
      this.#set('agentBytes', work.bytes, { agent })
      this.#set('agentErrors', work.errors, { agent })
    }
  }

  #fillMesh(): void {
    const { mesh } = this.#options
    const { role, term, leader, plan, clock } = mesh.status()
    const peers = Map.groupBy(mesh.peers(), (peer) => `${peer.role} ${peer.connected}`)
    for (const group of peers.values()) {
      const [first] = group
      if (first !== undefined)
        this.#set('peers', group.length, { role: first.role, connected: String(first.connected) })
    }
    this.#set('isLeader', role === 'leader' ? 1 : 0)
    if (leader !== null) this.#set('leader', 1, { leader: leader.name })
    this.#set('term', term)
    this.#set('planRunning', plan === null ? 0 : 1)
    if (clock === null) return
    this.#set('clockOffset', clock.offsetMs / 1000)
    this.#set('roundTrip', clock.roundTripMs / 1000)
  }

  #fillTally(): void {
    const { barriers, plans, rejected, leadersElected, leadersLost } = this.#tally
    for (const [outcome, count] of Object.entries(barriers)) this.#set('barriers', count, { outcome })
    for (const [status, count] of Object.entries(plans)) this.#set('plans', count, { status })
    for (const [reason, count] of rejected) this.#set('rejected', count, { reason })
    this.#set('leadersElected', leadersElected)
    this.#set('leadersLost', leadersLost)
  }

  #fillProcess(): void {
    const { user, system } = process.cpuUsage()
    this.#set('cpu', (user + system) / 1e6)
    this.#set('memory', process.memoryUsage.rss())
    this.#set('started', performance.timeOrigin / 1000)
  }

  #fillPlan(watched: Watched): void {
    const { view } = watched
    this.#set('plan', view.plan)
    this.#set('planSequence', Math.min(view.sequence, view.stages.length))
    this.#set('planStages', view.stages.length)
    for (const { name: agent, state, progress } of view.agents.slice(0, AGENTS_MAX)) {
      this.#set('agentState', 1, { agent, state })
      if (progress === null || view.end !== null) continue
      const done = state === 'ready' ? 1 : progress.done
      if (done !== null) this.#set('agentDone', done, { agent })
      this.#set('agentOpsRate', progress.opsPerSecond, { agent })
      this.#set('agentBytesRate', progress.bytesPerSecond, { agent })
      this.#set('agentP99', progress.p99Ns / 1e9, { agent })
    }
    const summary = watched.results().summary(watched.end())
    this.#work.results(watched.plan.uid, summary)
    this.#fillStages(summary)
  }

  #fillStages({ plan, stages }: RunSummary): void {
    const rows = stages.flatMap(({ sequence, name: stage, agents }) =>
      agents.map(({ name: agent, ops, seconds }) => ({ labels: { plan, sequence, stage, agent }, ops, seconds })),
    )
    const latencies: LatencyRow[] = []
    for (const { labels, ops, seconds } of rows.slice(-STAGE_ROWS_MAX)) {
      this.#set('stageSeconds', seconds, labels)
      for (const figures of ops) {
        const ofOp = { ...labels, op: figures.op }
        this.#set('stageBytes', figures.bytes, ofOp)
        this.#set('stageErrors', figures.errors, ofOp)
        latencies.push({ labels: ofOp, figures })
      }
    }
    this.#latencies.show(latencies)
  }

  #set(key: FamilyKey, value: number, labels: Labels = {}): void {
    this.#sets.get(key)?.(labels, value)
  }
}

function familyKeys(): FamilyKey[] {
  return Object.keys(families).filter((key): key is FamilyKey => key in families)
}

function familyOf(key: FamilyKey): Family {
  return families[key]
}

interface LatencyRow {
  readonly labels: Labels
  readonly figures: Figures
}

/** A summary of which the quantiles are known already, from exact histograms. */
class StageLatencies extends prom.Summary {
  readonly #family: Family
  #rows: readonly LatencyRow[] = []

  constructor(family: Family, registers: prom.Registry<prom.OpenMetricsContentType>[]) {
    super({ name: family.name, help: family.help, labelNames: [...family.labels], registers })
    this.#family = family
  }

  show(rows: readonly LatencyRow[]): void {
    this.#rows = rows
  }

  override async get(): ReturnType<prom.Summary['get']> {
    const { name } = this.#family
    const values = this.#rows.flatMap(({ labels, figures }) => {
      const sum = (figures.meanUs * figures.count) / 1e6
      return [
        ...quantilesOf(figures).map(([quantile, us]) => ({ labels: { ...labels, quantile }, value: us / 1e6 })),
        { metricName: `${name}_sum`, labels, value: sum },
        { metricName: `${name}_count`, labels, value: figures.count },
      ]
    })
    return { ...(await super.get()), values }
  }
}

function quantilesOf({ p50Us, p90Us, p95Us, p99Us, p999Us, maxUs }: Figures): [quantile: string, us: number][] {
  return [
    ['0.5', p50Us],
    ['0.9', p90Us],
    ['0.95', p95Us],
    ['0.99', p99Us],
    ['0.999', p999Us],
    ['1.0', maxUs],
  ]
}
