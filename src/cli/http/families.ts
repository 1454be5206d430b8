/** Every metric with its meaning: what metrics.ts fills and docs/metrics.md lists. Data only. */

export interface Family {
  /** Counters without the `_total` that their samples end with. */
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary'
  readonly help: string
  readonly labels: readonly string[]
}

const STAGE = ['plan', 'sequence', 'stage', 'agent', 'op'] as const

export const families = {
  info: {
    name: 'paceline_node_info',
    type: 'gauge',
    help: 'Always 1: run, name, peer ID, version and runtime of this node',
    labels: ['run', 'peer', 'peer_id', 'version', 'runtime'],
  },
  peers: {
    name: 'paceline_peers',
    type: 'gauge',
    help: 'Known peers of the run, this one included',
    labels: ['role', 'connected'],
  },
  isLeader: { name: 'paceline_is_leader', type: 'gauge', help: '1 while this node leads', labels: [] },
  leader: {
    name: 'paceline_leader',
    type: 'gauge',
    help: '1 for the leader that this node follows',
    labels: ['leader'],
  },
  term: { name: 'paceline_term', type: 'gauge', help: 'Number of the latest election known here', labels: [] },
  leadersElected: {
    name: 'paceline_leaders_elected',
    type: 'counter',
    help: 'Times that this node began to follow a leader, or to lead',
    labels: [],
  },
  leadersLost: {
    name: 'paceline_leaders_lost',
    type: 'counter',
    help: 'Times that this node lost its leader',
    labels: [],
  },
  rejected: {
    name: 'paceline_messages_rejected',
    type: 'counter',
    help: 'Messages that changed nothing, by reason',
    labels: ['reason'],
  },
  clockOffset: {
    name: 'paceline_clock_offset_seconds',
    type: 'gauge',
    help: "Leader's clock minus this node's; absent before the first measurement",
    labels: [],
  },
  roundTrip: {
    name: 'paceline_round_trip_seconds',
    type: 'gauge',
    help: 'Round trip to the leader with which the offset was measured',
    labels: [],
  },
  plan: { name: 'paceline_plan', type: 'gauge', help: 'Number of the plan that runs, or of the last one', labels: [] },
  planRunning: {
    name: 'paceline_plan_running',
    type: 'gauge',
    help: '1 while this node takes part in a plan',
    labels: [],
  },
  planSequence: {
    name: 'paceline_plan_sequence',
    type: 'gauge',
    help: 'Stage that is running, counted from 1; 0 before the first',
    labels: [],
  },
  planStages: { name: 'paceline_plan_stages', type: 'gauge', help: 'Stages of the plan', labels: [] },
  plans: {
    name: 'paceline_plans_finished',
    type: 'counter',
    help: 'Plans that ended here, by status',
    labels: ['status'],
  },
  barriers: {
    name: 'paceline_barriers',
    type: 'counter',
    help: 'Barriers that ended here: released, unilateral (by this node alone) or aborted',
    labels: ['outcome'],
  },
  waits: {
    name: 'paceline_barrier_wait_seconds',
    type: 'histogram',
    help: 'How long this node waited at barriers that were released',
    labels: [],
  },
  agentState: {
    name: 'paceline_agent_state',
    type: 'gauge',
    help: '1 for the state of each agent: working, ready, failed, dead or excluded',
    labels: ['agent', 'state'],
  },
  agentDone: {
    name: 'paceline_agent_stage_done_ratio',
    type: 'gauge',
    help: 'Share of the running stage that the agent has done; absent while unknown',
    labels: ['agent'],
  },
  agentOps: {
    name: 'paceline_operations',
    type: 'counter',
    help: 'Operations of each agent, all stages',
    labels: ['agent'],
  },
  agentBytes: {
    name: 'paceline_bytes',
    type: 'counter',
    help: 'Bytes moved by each agent, all stages',
    labels: ['agent'],
  },
  agentErrors: {
    name: 'paceline_errors',
    type: 'counter',
    help: 'Operations of each agent that failed, all stages',
    labels: ['agent'],
  },
  agentOpsRate: {
    name: 'paceline_operations_per_second',
    type: 'gauge',
    help: 'Operations a second of each agent over its last interval in the running stage',
    labels: ['agent'],
  },
  agentBytesRate: {
    name: 'paceline_bytes_per_second',
    type: 'gauge',
    help: 'Bytes a second of each agent over its last interval in the running stage',
    labels: ['agent'],
  },
  agentP99: {
    name: 'paceline_latency_p99_seconds',
    type: 'gauge',
    help: '99th percentile of the latency of each agent over its last interval in the running stage',
    labels: ['agent'],
  },
  stageLatency: {
    name: 'paceline_stage_latency_seconds',
    type: 'summary',
    help: 'Latency in the finished stages of the latest plan, from its exact histogram; quantiles 0.5, 0.9, 0.95, 0.99, 0.999, 1',
    labels: STAGE,
  },
  stageBytes: {
    name: 'paceline_stage_bytes',
    type: 'gauge',
    help: 'Bytes moved in the finished stages of the latest plan',
    labels: STAGE,
  },
  stageErrors: {
    name: 'paceline_stage_errors',
    type: 'gauge',
    help: 'Operations that failed in the finished stages of the latest plan',
    labels: STAGE,
  },
  stageSeconds: {
    name: 'paceline_stage_duration_seconds',
    type: 'gauge',
    help: 'How long each agent worked on the finished stages of the latest plan; waiting is no part of it',
    labels: ['plan', 'sequence', 'stage', 'agent'],
  },
  cpu: {
    name: 'process_cpu_seconds',
    type: 'counter',
    help: 'Processor time of this process, its lanes included',
    labels: [],
  },
  memory: { name: 'process_resident_memory_bytes', type: 'gauge', help: 'Resident memory of this process', labels: [] },
  started: {
    name: 'process_start_time_seconds',
    type: 'gauge',
    help: 'When this process started, seconds since 1970',
    labels: [],
  },
} as const satisfies Readonly<Record<string, Family>>

export type FamilyKey = keyof typeof families
