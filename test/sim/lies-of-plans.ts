/** Lies about policies, a peer's way through its plan, and how plans begin. */

import { edit, type Mutation } from './mutation.ts'

export const liesOfPlans: readonly Mutation[] = [
  {
    name: 'half of an even number is a majority',
    edits: [edit('policy.ts', 'Math.floor(count / 2) + 1', 'Math.floor((count + 1) / 2)')],
  },
  {
    name: 'an accepted value is not carried over',
    edits: [edit('leader.ts', '  if (carried !== null) return carried.decision\n', '')],
  },
  {
    name: 'an abort that somebody asked for is proposed in place of an accepted value',
    from: 3100,
    edits: [
      edit(
        'leader.ts',
        '  if (carried !== null) return carried.decision\n  if (plan.abortReason !== null) return abort(step, plan, lead, plan.abortReason, [])\n',
        '  if (plan.abortReason !== null) return abort(step, plan, lead, plan.abortReason, [])\n  if (carried !== null) return carried.decision\n',
      ),
    ],
  },
  {
    name: 'members stay those of the start',
    from: 5730,
    edits: [edit('course.ts', "  if (decision.kind !== 'abort') plan.members = decision.members\n", '')],
  },
  {
    name: 'a ready of an earlier stage counts for the open one',
    edits: [
      edit('member.ts', ' && !isLateReport(plan, from, message.sequence)) {', ' && message.sequence < 0) {'),
      edit(
        'member.ts',
        '  keepReport(step, plan, from, message)\n}',
        '  keepReport(step, plan, from, { ...message, sequence: plan.openSequence })\n}',
      ),
    ],
  },
  {
    name: 'a straggler stays after its exclusion',
    edits: [
      edit(
        'policy.ts',
        "return release(ready, ready, exclusions(standings, ['dead', 'left', 'failed', 'waiting']))",
        "return release(standings, ready, exclusions(standings, ['dead', 'left', 'failed', 'waiting']))",
      ),
    ],
  },
  {
    name: 'a start that another leader carried over is freed',
    from: 1160,
    edits: [
      edit(
        'leader.ts',
        "decision.kind !== 'start' || !sameBallot(ballot, decision.ballot)) return false",
        "decision.kind !== 'start') return false",
      ),
    ],
  },
  {
    name: 'majority does not wait for its stragglers',
    edits: [
      edit(
        'policy.ts',
        'waiting.length === 0 || overdue || now >= graceEnd',
        'waiting.length === 0 || overdue || now >= 0',
      ),
    ],
  },
  {
    name: 'all_or_nothing takes a failed member for a ready one',
    edits: [
      edit(
        'policy.ts',
        "const lost = exclusions(standings, ['dead', 'left', 'failed'])\n  if (lost.length > 0) return { kind: 'abort', reason: `all_or_nothing",
        "const lost = exclusions(standings, ['dead', 'left'])\n  if (lost.length > 0) return { kind: 'abort', reason: `all_or_nothing",
      ),
    ],
  },
  {
    name: 'best_effort waits for the dead',
    edits: [
      edit(
        'policy.ts',
        "const live = standings.filter((member) => member.state !== 'dead' && member.state !== 'left')",
        'const live = standings',
      ),
    ],
  },
  {
    name: 'a member that waits gives up at once when it has no leader',
    edits: [
      edit(
        'member.ts',
        'return Math.max(plan.waitingSince + timeoutMs, state.leaderlessSince',
        'return Math.max(plan.waitingSince, state.leaderlessSince',
      ),
    ],
  },
  {
    name: 'a member that has waited long gives up as soon as it has no leader',
    edits: [
      edit(
        'member.ts',
        'return Math.max(plan.waitingSince + timeoutMs, state.leaderlessSince + Math.min(timeoutMs, silenceMs(state)))',
        'return plan.waitingSince + timeoutMs',
      ),
    ],
  },
  {
    name: 'the time-out of another stage is obeyed',
    edits: [
      edit(
        'member.ts',
        'const timeoutMs = stage?.barrier.barrierTimeoutMs ??',
        'const timeoutMs = stageAt(plan, 1)?.barrier.barrierTimeoutMs ??',
      ),
    ],
  },
  {
    name: 'one that takes no part in the plan any more is waited for',
    edits: [edit('leader.ts', "(known?.verdict === 'left' || plan.gone.has(peer))", "known?.verdict === 'left'")],
  },
  {
    name: 'an abort that was asked for dies with the leader',
    story: '29-abort-asked-for.txt',
    edits: [
      edit('member.ts', '  if (plan !== null && plan.abortReason !== null) askAbort(step, plan.abortReason)\n', ''),
    ],
  },
  {
    name: 'one that takes no part in a plan cannot ask for its end',
    story: '29-abort-asked-for.txt',
    edits: [edit('member.ts', 'const target = plan?.ref ?? state.leaderPlan', 'const target = plan?.ref ?? null')],
  },
  {
    name: 'a leader never asks again for a ready that was lost',
    story: '28-lost-ready.txt',
    edits: [
      edit('member.ts', 'lead.proposal !== null || isHeld\n', 'lead.proposal !== null || isHeld || known.connected\n'),
    ],
  },
  {
    name: 'who is ready at another barrier is shown',
    edits: [edit('member.ts', '  if (digest.sequence !== plan.openSequence) return\n  const held', '  const held')],
  },
  {
    name: 'an answer of a leader of other plans counts as a sign of life',
    story: '27-leader-of-no-plan.txt',
    edits: [
      edit(
        'member.ts',
        'if (plan === null || samePlan(plan.ref, message.plan)) state.leaderHeardAt = now',
        'state.leaderHeardAt = now',
      ),
    ],
  },
  {
    name: 'without a quorum every policy is released alone',
    edits: [
      edit(
        'member.ts',
        "if (stage?.barrier.policy === 'best_effort') releaseAlone(step)",
        'if (stage !== undefined) releaseAlone(step)',
      ),
      edit(
        'course.ts',
        "  assert(stage?.barrier.policy === 'best_effort', 'only best_effort is released without the others')\n",
        '',
      ),
    ],
  },
  {
    name: 'going on alone is not said at the end',
    edits: [edit('course.ts', 'unilateral: plan.unilateral, reports })', 'unilateral: false, reports })')],
  },
  {
    name: 'reports are carried by two decisions',
    edits: [edit('course.ts', '  dropCarried(plan, decision)\n  resetLead', '  resetLead')],
  },
  {
    name: 'a leader that cannot reach a majority keeps its place',
    edits: [edit('leader.ts', 'if (!quorumReachable(step, plan)) {', 'if (state.left) {')],
  },
  {
    name: 'members do not say again that they are ready when the leader changes',
    from: 1700,
    edits: [
      edit('core.ts', '      reportToNewLeader(step)\n', ''),
      edit('member.ts', '  if (!message.readyKnown && isLost(plan, plan.openSequence, message)) sendReady(step)\n', ''),
      edit('voting.ts', 'ready: smallReady(step), planMax', 'ready: null, planMax'),
    ],
  },
  {
    name: 'a clock that jumped decides when a stage starts',
    edits: [
      edit(
        'course.ts',
        'Math.min(startAt - offset, now + limits.startLeadMaxMs), offset)',
        'startAt - offset, offset)',
      ),
    ],
  },
  {
    name: 'messages of an older incarnation are heard',
    edits: [edit('core.ts', 'known.member.incarnation !== incarnation', 'incarnation === null')],
  },
  {
    name: 'a peer that waits without a leader waits for ever',
    edits: [
      edit(
        'member.ts',
        'if (lostAt !== null && now >= lostAt) loseQuorum(step)',
        'if (lostAt !== null && now >= lostAt + 1e12) loseQuorum(step)',
      ),
    ],
  },
  {
    name: 'quicker heartbeats make a leader silent at once',
    from: 2100,
    edits: [
      edit('course.ts', '  if (silenceMs(state) >= silenceBeforeMs) return\n', '  if (silenceMs(state) >= 0) return\n'),
    ],
  },
  {
    name: 'the excluded go on',
    edits: [
      edit(
        'course.ts',
        'else if (!isNamed(decision.members, state.self)) {',
        'else if (decision.members.length === 0) {',
      ),
    ],
  },
  {
    name: 'agent_barrier_timeout is counted from the last ready',
    edits: [edit('policy.ts', 'first === null || readyAt < first', 'first === null || readyAt > first')],
  },
  {
    name: 'an optional failure counts as a failure',
    edits: [edit('leader.ts', "report.status === 'failed' && stage?.optional !== true", "report.status === 'failed'")],
  },
  {
    name: 'a plan is called accepted before its start is decided',
    edits: [
      edit(
        'submission.ts',
        "if (plan.decisions[0]?.kind === 'start') closeGathering(step",
        'if (plan.openSequence >= 0) closeGathering(step',
      ),
    ],
  },
  {
    name: 'a submission is called accepted when another one is',
    edits: [edit('submission.ts', ' && state.plan.spec.submission === submission) {', ') {')],
  },
  {
    name: 'a plan whose start was given up counts as one that began',
    edits: [
      edit(
        'submission.ts',
        "ended.submission === submission && ended.decisions[0]?.kind === 'start')",
        'ended.submission === submission)',
      ),
    ],
  },
  {
    name: 'what became of a submission is told again and again',
    edits: [
      edit('submission.ts', 'if (step.state.submits.delete(submission))', 'if (step.state.submits.has(submission))'),
    ],
  },
  {
    name: 'a plan begins with one agent too few',
    edits: [edit('submission.ts', 'present.length < wanted.count)', 'present.length < wanted.count - 1)')],
  },
  {
    name: 'a stage is run with the members of the start',
    edits: [
      edit(
        'course.ts',
        '(plan.decisions[plan.position - 1]?.members ?? plan.members)',
        '(plan.decisions[0]?.members ?? [])',
      ),
    ],
  },
  {
    name: 'who works is said to have waited',
    edits: [edit('course.ts', 'const waited = !plan.running && ', 'const waited = ')],
  },
  {
    name: 'the stage of one that is excluded runs on',
    edits: [
      edit(
        'course.ts',
        "    step.emit({ type: 'cancel_stage', plan: plan.ref, sequence: plan.position, reason })\n",
        '',
      ),
    ],
  },
  {
    name: 'one that is alone reports the same again at each barrier',
    edits: [edit('course.ts', '  dropCarried(plan, decision)\n  step.emit', '  step.emit')],
  },
  {
    name: 'results that no decision carried are dropped at the end',
    edits: [edit('course.ts', 'heldReports(plan, Math.max(plan.openSequence, plan.position))', '[]')],
  },
  {
    name: 'a leader that lacks the value that it must carry over chooses another one',
    edits: [
      edit(
        'leader.ts',
        'return recall(step, plan, lead, ballot) ? false : callVote(step)',
        'recall(step, plan, lead, ballot)',
      ),
    ],
  },
  {
    name: 'a leader waits for a value that nobody can give it',
    edits: [
      edit(
        'leader.ts',
        'recall(step, plan, lead, ballot) ? false : callVote(step)',
        'recall(step, plan, lead, ballot) && false',
      ),
    ],
  },
  {
    name: 'an abort names another policy than that of its stage',
    edits: [
      edit('leader.ts', "stageAt(plan, Math.max(1, plan.openSequence))?.barrier.policy ?? 'all", "undefined ?? 'all"),
    ],
  },
  {
    name: 'a release does not say how long members have waited',
    edits: [edit('leader.ts', 'waitedMs: Math.max(0, now - (firstReady(standings) ?? now)),', 'waitedMs: 0,')],
  },
  {
    name: 'who has failed is shown as ready',
    story: '30-who-is-waited-for.txt',
    edits: [edit('leader.ts', "ready: inState('ready'),", "ready: inState('ready', 'failed'),")],
  },
  {
    name: 'one that has left is not shown as lost',
    story: '30-who-is-waited-for.txt',
    edits: [edit('leader.ts', "dead: inState('dead', 'left'),", "dead: inState('dead'),")],
  },
  {
    name: 'who is ready is told with the next heartbeat only',
    story: '30-who-is-waited-for.txt',
    edits: [edit('leader.ts', '[lead.digestAt, lead.recheckAt,', '[lead.recheckAt,')],
  },
  {
    name: 'a value that was proposed for one sequence is kept for the next',
    edits: [edit('course.ts', '  plan.known = null\n', '')],
  },
  {
    name: 'what was got ready for a start that is given up is kept',
    edits: [edit('course.ts', " else step.emit({ type: 'plan_withdrawn', plan: plan.ref })\n", '\n')],
  },
]
