/** Lies about elections, promises, proposals, and what is accepted, asked for and learned. */

import { edit, type Mutation } from './mutation.ts'

export const liesOfAgreement: readonly Mutation[] = [
  {
    name: 'a quorum is one too small',
    edits: [edit('membership.ts', '>= majorityOf(voters.length)', '>= majorityOf(voters.length) - 1')],
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
    name: 'who went on alone takes part in deciding again',
    edits: [edit('membership.ts', 'plan === null || plan.unilateral || plan', 'plan === null || plan')],
  },
  {
    name: 'lost proposals are not sent again',
    edits: [edit('consensus.ts', '  for (const { peer } of plan.members) remind(step, peer)\n}', '}')],
  },
  {
    name: 'whoever asks for an election gets it, though there is a leader',
    from: 13100,
    edits: [edit('voting.ts', '&& !led(step)', '')],
  },
  {
    name: 'who is behind is not told what was decided',
    edits: [edit('catchup.ts', 'for (const decision of list) {', 'for (const decision of list.slice(0, 0)) {')],
  },
  {
    name: 'a pre-vote that was granted is not counted',
    edits: [edit('election.ts', '    campaign.granted.add(from)\n', '')],
  },
  {
    name: 'the value of one ballot is taken for that of another',
    edits: [
      edit('recall.ts', 'if (held !== null && sameBallot(held.ballot, ballot)) return', 'if (held !== null) return'),
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
]
