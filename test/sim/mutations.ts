/**
 * Small lies told to a copy of the core: each one must be found by the simulator, or by a story. A mutation replaces exact text, and
 * fails when the text is not there (once): the list cannot go stale unnoticed.
 */

export interface Edit {
  /** In src/barrier. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

export interface Mutation {
  readonly name: string
  readonly edits: readonly Edit[]
  /** Where to begin, for one that shows in one history of thousands: shortly before a seed that showed it. Else 1. */
  readonly from?: number
  /** Of test/barrier/scenarios, for one that no history shows. */
  readonly story?: string
}

function edit(file: string, find: string, replace: string): Edit {
  return { file, find, replace }
}

export const mutations: readonly Mutation[] = [
  {
    name: 'a quorum is one too small',
    edits: [edit('membership.ts', '>= majorityOf(voters.length)', '>= majorityOf(voters.length) - 1')],
  },
  {
    name: 'half of an even number is a majority',
    edits: [edit('policy.ts', 'Math.floor(count / 2) + 1', 'Math.floor((count + 1) / 2)')],
  },
  {
    name: 'votes are forgotten',
    edits: [edit('voting.ts', '    promise(step, message.ballot)\n    state.electionAt', '    state.electionAt')],
  },
  {
    name: 'the promise is ignored when a proposal comes',
    from: 400,
    edits: [
      edit(
        'proposals.ts',
        "  if (compareBallots(ballot, state.promised) < 0) {\n    rejectBallot(step, from, ballot, 'propose')\n    return\n  }\n",
        '',
      ),
    ],
  },
  {
    name: 'accepting is no promise',
    edits: [
      edit('proposals.ts', '  follow(step, ballot)\n  takeProposal(step', '  takeProposal(step'),
      // The core itself would notice: the rules from outside must, too.
      edit('invariants.ts', 'compareBallots(plan.accepted.ballot, state.promised) <= 0', 'plan.accepted !== null'),
    ],
  },
  {
    name: 'whoever asks for a vote gets it',
    edits: [
      edit('voting.ts', '  if (!voteIsForUs(step, from, message)) return\n', '  voteIsForUs(step, from, message)\n'),
    ],
  },
  {
    name: 'a candidate that is behind gets the vote',
    edits: [edit('voting.ts', 'if (message.sequence < plan.openSequence) {', 'if (message.sequence < 0) {')],
  },
  {
    name: 'who has voted for another follows its leader on',
    edits: [
      edit('voting.ts', 'else if (lead !== null) loseLeader(', 'else if (lead !== null && state.left) loseLeader('),
    ],
  },
  {
    name: 'a vote does not say what was accepted',
    edits: [
      edit('voting.ts', 'const own = plan?.accepted ?? null', 'const own = inFull ? (plan?.accepted ?? null) : null'),
    ],
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
    name: 'the accepted value of the lowest ballot is carried over',
    from: 3400,
    edits: [
      edit('consensus.ts', 'compareBallots(accepted.ballot, best) > 0', 'compareBallots(accepted.ballot, best) < 0'),
    ],
  },
  {
    name: 'the quorum is counted over the members of k instead of k-1',
    edits: [
      edit(
        'consensus.ts',
        'const members = plan.members.map((member) => member.peer)\n  if (mayAccept',
        'const members = proposal.members.map((member) => member.peer)\n  if (mayAccept',
      ),
    ],
  },
  {
    name: 'members stay those of the start',
    from: 5730,
    edits: [edit('course.ts', "  if (decision.kind !== 'abort') plan.members = decision.members\n", '')],
  },
  {
    name: 'the release of an older term is obeyed',
    edits: [
      edit(
        'proposals.ts',
        'message.sequence === plan.openSequence ? valueAt(plan, message.ballot) : null',
        'message.sequence === plan.openSequence ? (plan.accepted?.decision ?? null) : null',
      ),
    ],
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
    name: 'a new incarnation votes and takes part',
    from: 680,
    edits: [
      edit(
        'invariants.ts',
        'other.peer === member.peer && other.incarnation === member.incarnation',
        'other.peer === member.peer',
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
    name: 'a release is announced before a majority has accepted it',
    edits: [edit('consensus.ts', '  if (!chosen) return false\n', '')],
  },
  {
    name: 'a start needs a majority only',
    edits: [
      edit(
        'consensus.ts',
        "return decision.kind === 'start' && sameBallot(decision.ballot, lead.ballot)",
        'return decision.sequence < 0 && sameBallot(decision.ballot, lead.ballot)',
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
    name: 'who has refused a start accepts it when it comes again',
    from: 40100,
    edits: [
      edit(
        'proposals.ts',
        'state.joinedPlans.has(uid) || state.refusedPlans.includes(uid)',
        'state.joinedPlans.has(uid)',
      ),
      edit('proposals.ts', ' || state.refusedPlans.includes(ref.uid)) refuse', ') refuse'),
    ],
  },
  {
    name: 'a refusal frees a start that the refuser had accepted',
    from: 2900,
    edits: [edit('catchup.ts', 'accepted: joinedPlans.get(plan.uid) === true', 'accepted: false')],
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
    name: 'who went on alone takes part in deciding again',
    edits: [edit('membership.ts', 'plan === null || plan.unilateral || plan', 'plan === null || plan')],
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
    name: 'lost proposals are not sent again',
    edits: [edit('consensus.ts', '  for (const { peer } of plan.members) remind(step, peer)\n}', '}')],
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
    name: 'whoever asks for an election gets it, though there is a leader',
    from: 13100,
    edits: [edit('voting.ts', '&& !led(step)', '')],
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
    name: 'who is behind is not told what was decided',
    edits: [edit('catchup.ts', 'for (const decision of list) {', 'for (const decision of list.slice(0, 0)) {')],
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
    name: 'a pre-vote that was granted is not counted',
    edits: [edit('election.ts', '    campaign.granted.add(from)\n', '')],
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
    name: 'the value of one ballot is taken for that of another',
    edits: [
      edit('recall.ts', 'if (held !== null && sameBallot(held.ballot, ballot)) return', 'if (held !== null) return'),
    ],
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
    name: 'who was asked for its value does not give it',
    edits: [edit('voting.ts', 'own === null || inFull ? own :', 'own === null ? own :')],
  },
  {
    name: 'who lacks the value that it is reminded of does not ask for it',
    edits: [
      edit(
        'proposals.ts',
        '  else askDecisions(step, plan, from, sequence + 1)\n}\n\n/** The plan to accept',
        '}\n\n/** The plan to accept',
      ),
      edit('proposals.ts', "    else step.send(from, { type: 'catchup', plan: ref, sequence: 0 })\n", ''),
    ],
  },
  {
    name: 'a value that was proposed for one sequence is kept for the next',
    edits: [edit('course.ts', '  plan.known = null\n', '')],
  },
  {
    name: 'a start is accepted by one that is not ready for its plan',
    edits: [
      edit(
        'accepting.ts',
        "plan.arming !== null && proposal.decision.kind === 'start'",
        'plan.arming !== null && proposal.decision.sequence < 0',
      ),
    ],
  },
  {
    name: 'a leader that is not ready for its plan begins it',
    edits: [edit('consensus.ts', 'if (plan.arming !== null || lead.accepts', 'if (lead.accepts')],
  },
  {
    name: 'who is ready at last accepts the start, whatever it has promised since',
    edits: [
      edit(
        'accepting.ts',
        'proposal !== null && sameBallot(proposal.ballot, step.state.promised)',
        'proposal !== null',
      ),
    ],
  },
  {
    name: 'who is never ready for a plan is waited for',
    edits: [edit('accepting.ts', 'step.now >= plan.arming.until', 'step.now >= plan.arming.until + 1e12')],
  },
  {
    name: 'what was got ready for a start that is given up is kept',
    edits: [edit('course.ts', " else step.emit({ type: 'plan_withdrawn', plan: plan.ref })\n", '\n')],
  },
]
