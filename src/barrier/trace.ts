/** One line of text per input, output and message, in a stable order: what golden traces and replays are made of. */

import { showBallot } from './ballot.ts'
import type { AcceptedNote, Decision, Exclusion } from './decisions.ts'
import type { Input, Output } from './interface.ts'
import type { Message } from './messages.ts'
import type { Member, PeerId, PlanRef } from './plans.ts'

export function showInput(input: Input): string {
  switch (input.type) {
    case 'tick':
    case 'leave':
      return input.type
    case 'message':
      return `${input.from} says ${showMessage(input.message)}`
    case 'peer_up':
      return `peer_up ${input.member.peer}`
    case 'peer_down':
    case 'unreachable':
      return `${input.type} ${input.peer}`
    case 'submit':
      return `submit ${input.spec.submission}`
    case 'abort':
      return `abort "${input.reason}"`
    case 'ready':
      return `ready ${at(input.plan, input.sequence)} ${input.status}`
    case 'armed':
      return `armed ${input.plan.uid}`
  }
}

export function showOutput(output: Output): string {
  switch (output.type) {
    case 'send':
      return `to ${output.to}: ${showMessage(output.message)}`
    case 'broadcast':
      return `to all: ${showMessage(output.message)}`
    case 'probe':
      return `probe ${output.peer}`
    case 'plan_proposed':
    case 'plan_started':
      return `${output.type} ${output.plan.uid} ${names(output.decision.members)}`
    case 'plan_withdrawn':
      return `plan_withdrawn ${output.plan.uid}`
    case 'run_stage':
      return `run_stage ${at(output.plan, output.sequence)} startAt=${ms(output.startAt)} ${names(output.members)}`
    case 'cancel_stage':
      return `cancel_stage ${at(output.plan, output.sequence)}: ${output.reason}`
    case 'decided':
      return `decided ${showDecision(output.decision)}${output.unilateral ? ' unilateral' : ''}`
    case 'plan_finished': {
      const alone = output.unilateral ? ' unilateral' : ''
      return `plan_finished ${output.plan.uid} ${output.status}${alone}${output.reason && `: ${output.reason}`}`
    }
    case 'submit_outcome':
      return `submit_outcome ${output.submission} ${showOutcome(output.outcome)}`
    case 'leader_elected':
      return `leader_elected ${showBallot(output.ballot)}`
    case 'leader_lost':
      return `leader_lost ${showBallot(output.ballot)}: ${output.reason}`
    case 'waiting':
      return `waiting ${at(output.plan, output.sequence)}`
    case 'progress': {
      const { plan, sequence, ready, failed, waiting, dead } = output.digest
      const lists = [`ready=${list(ready)}`, `failed=${list(failed)}`, `waiting=${list(waiting)}`, `dead=${list(dead)}`]
      return `progress ${at(plan, sequence)} ${lists.join(' ')}`
    }
    case 'rejected':
      return `rejected ${output.reason}: ${output.message} of ${output.from} (expected ${output.expected}, got ${output.got})`
    case 'left':
      return 'left'
  }
}

export function showMessage(message: Message): string {
  return [message.type, ...details(message)].join(' ')
}

function details(message: Message): string[] {
  switch (message.type) {
    case 'ping':
      return [`term=${message.term}`, at(message.plan, message.sequence)]
    case 'pong':
      return [showBallot(message.ballot), at(message.plan, message.sequence), message.readyKnown ? '' : 'wants-ready']
    case 'heartbeat': {
      const digest = message.digest === null ? [] : [`digest=${message.digest.digestSequence}`]
      return [showBallot(message.ballot), at(message.plan, message.sequence), ...digest]
    }
    case 'prevote':
      return [showBallot(message.ballot), at(message.plan, message.sequence)]
    case 'vote':
      return [showBallot(message.ballot), at(message.plan, message.sequence), ...(message.inFull ? ['in full'] : [])]
    case 'remind': {
      const { ballot, origin } = message
      return [showBallot(ballot), at(message.plan, message.sequence), `the value of ${showBallot(origin)}`]
    }
    case 'prevote_reply':
      return [showBallot(message.ballot), message.granted ? 'granted' : 'denied']
    case 'promise': {
      const ready = message.ready === null ? [] : [`ready=${message.ready.sequence}:${message.ready.status}`]
      return [showBallot(message.ballot), at(message.plan, message.sequence), showAccepted(message.accepted), ...ready]
    }
    case 'reject':
      return [showBallot(message.ballot), `promised=${showBallot(message.promised)}`]
    case 'propose':
      return [showBallot(message.ballot), showDecision(message.decision)]
    case 'decided':
      return [showBallot(message.ballot), at(message.plan, message.sequence), ...showStart(message.startAt)]
    case 'accept':
      return [showBallot(message.ballot), at(message.plan, message.sequence)]
    case 'refuse':
      return [showBallot(message.ballot), message.plan.uid, `"${message.reason}"`]
    case 'catchup':
      return [at(message.plan, message.sequence)]
    case 'decision':
      return [showDecision(message.decision), ...showStart(message.startAt)]
    case 'ready':
      return [at(message.plan, message.sequence), message.status]
    case 'query':
      return [`#${message.nonce}`]
    case 'answer':
      return [`#${message.nonce}`, at(message.plan, message.sequence)]
    case 'leave':
      return []
    case 'handover':
      return [showBallot(message.ballot)]
    case 'submit':
      return [message.spec.submission]
    case 'submit_reply':
      return [message.submission, showOutcome(message.outcome)]
    case 'abort_request':
      return [message.plan.uid, `"${message.reason}"`]
  }
}

export function showDecision(decision: Decision): string {
  const head = `${decision.kind} ${at(decision.plan, decision.sequence)} by ${showBallot(decision.ballot)}`
  if (decision.kind === 'start') return `${head} ${names(decision.members)}`
  const reports = decision.reports.map(({ name, sequence, status }) => {
    const late = sequence === decision.sequence ? '' : `@${sequence}`
    return `${name}${late}${status === 'ok' ? '' : `:${status}`}`
  })
  const tail = `${showExclusions(decision.excluded)} reports=[${reports.join(' ')}]`
  if (decision.kind === 'abort') return `${head} "${decision.reason}"${tail}`
  return `${head} ${decision.policy} ready=${list(decision.ready)} next=${names(decision.members)}${tail}`
}

function showExclusions(excluded: readonly Exclusion[]): string {
  if (excluded.length === 0) return ''
  return ` excluded=[${excluded.map(({ name, reason }) => `${name}:${reason}`).join(' ')}]`
}

function showStart(startAt: number | null): string[] {
  return startAt === null ? [] : [`startAt=${ms(startAt)}`]
}

function showAccepted(accepted: AcceptedNote | null): string {
  if (accepted === null) return 'accepted=none'
  return `accepted=${showBallot(accepted.ballot)}:${accepted.decision?.kind ?? 'a value'}`
}

function showOutcome(outcome: Extract<Message, { type: 'submit_reply' }>['outcome']): string {
  if (outcome.status === 'accepted') return `accepted as ${outcome.plan.uid}`
  return `${outcome.status}: ${outcome.detail}`
}

function at(plan: PlanRef | null, sequence: number): string {
  return plan === null ? 'idle' : `${plan.uid}#${sequence}`
}

function names(members: readonly Member[]): string {
  return `[${members.map((member) => member.name).join(' ')}]`
}

function list(peers: readonly PeerId[]): string {
  return `[${peers.join(' ')}]`
}

function ms(time: number): string {
  return time.toFixed(1)
}
