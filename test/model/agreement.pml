/*
 * The agreement of src/barrier as a Promela model, for spin. README.md says what it covers and maps it to the code.
 *
 * Settings: N members, TERMS election rounds, sequences FIRST..LAST (FIRST 0: the start is decided too; FIRST 1: it is
 * given). LIE_... switches one mistake on: the model must then fail.
 *
 * Messages are never removed: a peer may receive one late, twice, in any order, or never. A crash is a peer that does
 * no more. So loss, delay, duplication, reordering, partitions and crashes are all here without a step of their own.
 */

#ifndef N
#define N 3
#endif
#ifndef TERMS
#define TERMS 2
#endif
#ifndef FIRST
#define FIRST 1
#endif
#ifndef LAST
#define LAST 2
#endif

/* Candidacies of all peers together. */
#ifndef ELECTIONS
#define ELECTIONS BALLOTS
#endif

#define BALLOTS (N * TERMS)
#define EVERYBODY ((1 << N) - 1)
#define NOBODY 0
#define bit(p) (1 << (p))
#define has(set, p) (((set) >> (p)) & 1)
#define count(set) (has(set, 0) + has(set, 1) + has(set, 2) + has(set, 3) + has(set, 4))

/* Ballots 1..BALLOTS, by term, then by peer. 0: none. */
#define owner(b) (((b) - 1) % N)
#define at(b, s) ((b) * (LAST + 1) + (s))
#define from(b, p) ((b) * N + (p))

#ifdef LIE_SMALL_QUORUM
#define majorityOf(n) ((n) / 2)
#else
#define majorityOf(n) ((n) / 2 + 1)
#endif
#define hasMajority(voters, granted) (count((voters) & (granted)) >= majorityOf(count(voters)))

/* --- messages sent so far --- */

byte votes[BALLOTS + 1];                  /* vote(b): sequences it was sent for, as a set */
byte promises[BALLOTS + 1];               /* promise(b): by whom */
byte told[(BALLOTS + 1) * N];             /* what that promise says: ballot accepted at, for which sequence (below) */
byte proposed[(BALLOTS + 1) * (LAST + 1)]; /* propose(b, s): the ballot that made the value; 0: not sent */
byte accepts[(BALLOTS + 1) * (LAST + 1)]; /* accept(b, s): by whom */
byte decideds[BALLOTS + 1];               /* decided(b): for which sequences */
byte decisions;                           /* decision(s): sequences that somebody can hand out in full */
byte begun[LAST + 2];                     /* who has begun the stage of s, and may be ready at any time from then on */
byte refusals;                            /* refuse, by one that had not accepted the start */

#define said(ballot, s) ((ballot) | ((s) << 5))
#define saidBallot(t) ((t) & 31)
#define saidSequence(t) ((t) >> 5)

/* A value is named by the ballot that made it. What it says: the members of the next sequence; NOBODY: abort. */
byte made[(BALLOTS + 1) * (LAST + 1)];

/* --- what peers know --- */

byte promised[N];
byte open[N];
byte accepted[N];  /* at which ballot, for the open sequence */
byte members[N];   /* of the open sequence */
byte campaign[N];  /* ballot it stands for */
byte lead[N];      /* ballot it leads by */
byte granted[N];   /* promises it has received for either */
byte bound;        /* takes part in the plan */
byte ended;        /* excluded, or the plan was aborted */

/* --- what is true, seen from outside --- */

byte elections;
byte chosen[LAST + 1]; /* the value, named by its ballot */
byte roster[LAST + 2]; /* members of each sequence, by what was chosen */

/* For use within one step: no part of the state. */
hidden byte best, q, s, v;
hidden byte enough, unchosen;

#define active(p) (has(bound, p) && !has(ended, p) && open[p] <= LAST)
#define isStart(b, s) ((s) == 0 && proposed[at(b, s)] == (b) && made[at(b, s)] != NOBODY)

/* Once a quorum has accepted, the value is chosen, whoever knows it. */
inline choose(b, s) {
  if
  :: isStart(b, s) -> enough = (accepts[at(b, s)] == EVERYBODY)
  :: else -> enough = (count(accepts[at(b, s)] & roster[s]) >= count(roster[s]) / 2 + 1)
  fi;
  if
  :: enough && chosen[s] == 0 ->
    chosen[s] = proposed[at(b, s)];
    roster[s + 1] = made[at(chosen[s], s)]
  :: enough && chosen[s] != 0 -> assert(chosen[s] == proposed[at(b, s)]) /* agreement */
  :: else
  fi;
  enough = 0
}

inline accept(p, b, s) {
  accepted[p] = b;
  accepts[at(b, s)] = accepts[at(b, s)] | bit(p);
  choose(b, s)
}

inline promise(p, b) {
  promised[p] = b;
  if
  :: owner(b) != p -> campaign[p] = 0; lead[p] = 0; granted[p] = 0
  :: else
  fi
}

inline answerVote(p, b) {
  promises[b] = promises[b] | bit(p);
#ifdef LIE_SILENT_VOTE
  told[from(b, p)] = 0
#else
  if
  :: accepted[p] != 0 -> told[from(b, p)] = said(accepted[p], open[p])
  :: else -> told[from(b, p)] = 0
  fi
#endif
}

/* The value is acted on: stages begin, members are excluded. */
inline applyDecision(p, sequence, value) {
  s = sequence;
  v = value;
  assert(chosen[s] == v); /* no early start, and agreement */
  decisions = decisions | bit(s);
  bound = bound | bit(p);
  open[p] = s + 1;
  accepted[p] = 0;
  if
  :: made[at(v, s)] == NOBODY -> ended = ended | bit(p)
  :: else ->
    assert(s == 0 || (made[at(v, s)] & ~begun[s]) == 0); /* the policy: who goes on can have been ready */
    members[p] = made[at(v, s)];
    if
    :: !has(members[p], p) -> ended = ended | bit(p)
    :: else -> begun[s + 1] = begun[s + 1] | bit(p)
    fi
  fi;
  if
  :: has(ended, p) || open[p] > LAST -> promised[p] = 0; lead[p] = 0; campaign[p] = 0; granted[p] = 0; members[p] = 0
  :: else
  fi;
  s = 0;
  v = 0
}

/* The smallest ballot of p above what it has promised: its next candidacy. */
#define nextBallot(p) (((promised[p] + N - 1 - (p)) / N) * N + 1 + (p))

#define mayStand(p) (active(p) && elections < ELECTIONS && has(members[p], p) && nextBallot(p) <= BALLOTS)

inline callVote(p) {
  elections++;
  promise(p, nextBallot(p));
  lead[p] = 0;
  campaign[p] = promised[p];
  granted[p] = bit(p);
  votes[promised[p]] = bit(open[p]);
  answerVote(p, promised[p])
}

/* A candidate that is behind gets no vote; one that is ahead does. */
#define voteIsForUs(p, b) (active(p) && (votes[b] >> open[p]) != 0 && has(members[p], owner(b)) && owner(b) != p)
#define onVoteFits(p, b) (voteIsForUs(p, b) && b >= promised[p] && !has(promises[b], p))

inline onVote(p, b) {
#ifndef LIE_FORGOTTEN_VOTE
  promise(p, b);
#endif
  answerVote(p, b)
}

#define onPromiseFits(p, b, q) ((campaign[p] == b || lead[p] == b) && has(promises[b], q) && !has(granted[p], q))

inline onPromise(p, b, q) {
  granted[p] = granted[p] | bit(q);
  if
  :: campaign[p] == b && hasMajority(members[p], granted[p]) -> lead[p] = b; campaign[p] = 0 /* becomeLeader */
  :: else
  fi
}

/* The leader asks again for the sequence now open: those excluded may have given the promises it had. */
#define askMissingPromisesFits(p) (lead[p] != 0 && !has(votes[lead[p]], open[p]) && active(p))

#define saysOpen(p, q) \
  (has(granted[p], q) && saidBallot(told[from(lead[p], q)]) != 0 && saidSequence(told[from(lead[p], q)]) == open[p])

/* The ballot of the accepted value to carry over, in `best`; 0: the leader is free. */
inline carriedOver(p) {
  best = 0;
#ifndef LIE_NOT_CARRIED
  for (q : 0 .. N - 1) {
    if
    :: saysOpen(p, q) && (best == 0 ||
#ifdef LIE_LOWEST_CARRIED
      saidBallot(told[from(lead[p], q)]) < best
#else
      saidBallot(told[from(lead[p], q)]) > best
#endif
      ) -> best = saidBallot(told[from(lead[p], q)])
    :: else
    fi
  }
  q = 0
#endif
}

/* A start was surely not chosen when somebody promised without having accepted it, or refused it. */
inline startIsFree(p, knowsRefusals) {
  unchosen = (knowsRefusals && refusals != 0);
  for (q : 0 .. N - 1) {
    if
    :: has(granted[p], q) && told[from(lead[p], q)] == 0 -> unchosen = 1
    :: else
    fi
  }
  q = 0;
  if
  :: best == 0 -> unchosen = 1
#ifndef LIE_CARRIED_START_FREED
  :: best != 0 && !isStart(best, 0) -> unchosen = 0
#endif
  :: else
  fi
}

#define proposeFits(p) \
  (active(p) && lead[p] != 0 && proposed[at(lead[p], open[p])] == 0 && hasMajority(members[p], granted[p]))

/* `next`: the value, where the leader is free to choose. */
inline propose(p, next, knowsRefusals) {
  carriedOver(p);
  if
  :: open[p] == 0 ->
    startIsFree(p, knowsRefusals);
    if
    :: unchosen -> best = 0
    :: else
    fi;
    unchosen = 0
  :: else
  fi;
  if
  :: best != 0 -> proposed[at(lead[p], open[p])] = proposed[at(best, open[p])]
  :: else ->
    proposed[at(lead[p], open[p])] = lead[p];
    made[at(lead[p], open[p])] = next
  fi;
  best = 0;
  if
  :: open[p] == 0 && made[at(proposed[at(lead[p], 0)], 0)] != NOBODY
  :: else -> accept(p, lead[p], open[p])
  fi
}

/* A start that the leader carried over: it accepts that once it is armed. */
#define acceptOwnFits(p) \
  (active(p) && lead[p] != 0 && open[p] == 0 && proposed[at(lead[p], 0)] != 0 && !isStart(lead[p], 0) && accepted[p] != lead[p])

/* Policy `majority`, at its most free: whoever is ready may go on, if they are more than half; or all is aborted. */
#ifdef LIE_EARLIER_READY
#define counts(p) begun[open[p] - 1 + (open[p] == 1)]
#else
#define counts(p) begun[open[p]]
#endif
#define releaseFits(p, next) \
  (proposeFits(p) && open[p] > 0 && ((next) & ~(counts(p) & members[p])) == 0 && hasMajority(members[p], next))

#define mine(p, b, s) (active(p) && open[p] == (s) && has(members[p], owner(b)))
#ifdef LIE_PROMISE_IGNORED
#define onProposeFits(p, b, s) (proposed[at(b, s)] != 0 && owner(b) != p && mine(p, b, s) && accepted[p] != b)
#else
#define onProposeFits(p, b, s) \
  (proposed[at(b, s)] != 0 && owner(b) != p && mine(p, b, s) && b >= promised[p] && accepted[p] != b)
#endif

inline onPropose(p, b, s) {
#ifndef LIE_ACCEPTS_WITHOUT_PROMISE
  promise(p, b);
#endif
  accept(p, b, s)
}

/* The start binds a peer that was idle. It accepts once it is armed: an onPropose of its own, at any moment after this. */
#define planForStartFits(p, b) \
  (FIRST == 0 && proposed[at(b, 0)] != 0 && made[at(proposed[at(b, 0)], 0)] != NOBODY && owner(b) != p && !has(bound, p) && \
   !has(refusals, p) && b >= promised[p])

inline planForStart(p, b) {
  bound = bound | bit(p);
  open[p] = 0;
  members[p] = EVERYBODY;
  promise(p, b)
}

/* Busy with another plan, or asked for a vote in one that it does not know: it will never accept this start. */
#ifdef LIE_REFUSES_AFTER_ACCEPTING
#define refuseFits(p) (FIRST == 0 && !has(refusals, p) && open[p] == 0 && (p) != 0)
#else
#define refuseFits(p) (FIRST == 0 && !has(refusals, p) && !has(bound, p))
#endif

#ifdef LIE_START_BY_MAJORITY
#define startChosen(p, b) (hasMajority(members[p], accepts[at(b, 0)] | bit(p)))
#else
#define startChosen(p, b) ((accepts[at(b, 0)] | bit(p)) == EVERYBODY)
#endif

#define isLeadersProposal(p) (active(p) && lead[p] != 0 && proposed[at(lead[p], open[p])] != 0)
#ifdef LIE_ANNOUNCED_EARLY
#define decideIfChosenFits(p) isLeadersProposal(p)
#else
#ifdef LIE_NEXT_MEMBERS_COUNTED
#define decideIfChosenFits(p) (isLeadersProposal(p) && !isStart(lead[p], open[p]) && \
   hasMajority(made[at(proposed[at(lead[p], open[p])], open[p])], accepts[at(lead[p], open[p])]))
#else
#define decideIfChosenFits(p) (isLeadersProposal(p) && (isStart(lead[p], open[p]) -> \
   startChosen(p, lead[p]) : hasMajority(members[p], accepts[at(lead[p], open[p])])))
#endif
#endif

inline decideIfChosen(p) {
  if
  :: isStart(lead[p], open[p]) && !has(accepts[at(lead[p], open[p])], p) -> accept(p, lead[p], open[p])
  :: else
  fi;
  decideds[lead[p]] = decideds[lead[p]] | bit(open[p]);
  granted[p] = granted[p] | accepts[at(lead[p], open[p])];
  applyDecision(p, open[p], proposed[at(lead[p], open[p])])
}

#ifdef LIE_OLDER_RELEASE_OBEYED
#define onDecidedFits(p, b, s) (active(p) && has(decideds[b], s) && open[p] == (s) && accepted[p] != 0)
#else
#define onDecidedFits(p, b, s) (active(p) && has(decideds[b], s) && open[p] == (s) && accepted[p] == (b))
#endif

inline onDecided(p, s) {
  applyDecision(p, s, proposed[at(accepted[p], s)])
}

/* Catching up: a decided value in full, from anybody who has it. The start also reaches one that missed it. */
#define onDecisionFits(p, s) (has(decisions, s) && ((active(p) && open[p] == (s)) || \
   (FIRST == 0 && (s) == 0 && !has(bound, p) && !has(refusals, p) && made[at(chosen[0], 0)] != NOBODY)))

#define PER_BALLOT(p, b) \
  :: d_step { onVoteFits(p, b) -> onVote(p, b) } \
  :: d_step { planForStartFits(p, b) -> planForStart(p, b) }

#define PER_BALLOT_AND_SEQUENCE(p, b, s) \
  :: d_step { onProposeFits(p, b, s) -> onPropose(p, b, s) } \
  :: d_step { onDecidedFits(p, b, s) -> onDecided(p, s) }

#define PER_OTHER(p, q) \
  :: d_step { (q) != p && campaign[p] != 0 && onPromiseFits(p, campaign[p], q) -> onPromise(p, campaign[p], q) } \
  :: d_step { (q) != p && lead[p] != 0 && onPromiseFits(p, lead[p], q) -> onPromise(p, lead[p], q) }

#define PER_CHOICE(p, next) \
  :: d_step { releaseFits(p, next) -> propose(p, next, 1) }

#if LAST == FIRST
#define SEQUENCES(M, p, b) M(p, b, LAST)
#elif LAST - FIRST == 1
#define SEQUENCES(M, p, b) M(p, b, FIRST) M(p, b, LAST)
#else
#define SEQUENCES(M, p, b) M(p, b, FIRST) M(p, b, FIRST + 1) M(p, b, LAST)
#endif

#define ballot(p, b) PER_BALLOT(p, b) SEQUENCES(PER_BALLOT_AND_SEQUENCE, p, b)

proctype peer(byte me) {
  do
  :: d_step { mayStand(me) -> callVote(me) }
  :: d_step { askMissingPromisesFits(me) -> votes[lead[me]] = votes[lead[me]] | bit(open[me]) }
  :: d_step { decideIfChosenFits(me) -> decideIfChosen(me) }
  :: d_step { proposeFits(me) -> propose(me, NOBODY, 0) }
  :: d_step { proposeFits(me) && open[me] == 0 && refusals != 0 -> propose(me, NOBODY, 1) }
  :: d_step { acceptOwnFits(me) -> accept(me, lead[me], 0) }
  :: d_step { refuseFits(me) -> refusals = refusals | bit(me) }
  :: d_step { onDecisionFits(me, FIRST) -> applyDecision(me, FIRST, chosen[FIRST]) }
  :: d_step { onDecisionFits(me, LAST) -> applyDecision(me, LAST, chosen[LAST]) }
#if LAST - FIRST == 2
  :: d_step { onDecisionFits(me, FIRST + 1) -> applyDecision(me, FIRST + 1, chosen[FIRST + 1]) }
#endif
#ifdef LIE_NEW_INCARNATION_VOTES
  :: d_step { active(me) && promised[me] != 0 && lead[me] == 0 && campaign[me] == 0 -> promised[me] = 0; accepted[me] = 0 }
#endif
  PER_OTHER(me, 0) PER_OTHER(me, 1) PER_OTHER(me, 2)
  PER_CHOICE(me, 1) PER_CHOICE(me, 2) PER_CHOICE(me, 3) PER_CHOICE(me, 4) PER_CHOICE(me, 5) PER_CHOICE(me, 6)
  PER_CHOICE(me, 7)
  ballot(me, 1) ballot(me, 2) ballot(me, 3)
#if BALLOTS > 3
  ballot(me, 4)
#endif
#if BALLOTS > 4
  ballot(me, 5)
#endif
#if BALLOTS > 5
  ballot(me, 6)
#endif
#if BALLOTS > 6
  ballot(me, 7) ballot(me, 8)
#endif
#if BALLOTS > 8
  ballot(me, 9)
#endif
#if N > 3
  PER_OTHER(me, 3)
  PER_CHOICE(me, 11) PER_CHOICE(me, 13) PER_CHOICE(me, 14) PER_CHOICE(me, 15)
#endif
  od
}

init {
  byte p;
  atomic {
    for (p : 0 .. N - 1) {
      open[p] = FIRST;
      if
      :: FIRST > 0 -> members[p] = EVERYBODY
      :: else
      fi
    }
    roster[FIRST] = EVERYBODY;
    if
    :: FIRST > 0 -> bound = EVERYBODY; begun[FIRST] = EVERYBODY
    :: else ->
      /* Peer 0 leads the idle peers by ballot 1, and proposes the start; it accepts it itself when all others have. */
      bound = bit(0);
      members[0] = EVERYBODY;
      promised[0] = 1;
      lead[0] = 1;
      granted[0] = bit(0);
      proposed[at(1, 0)] = 1;
      made[at(1, 0)] = EVERYBODY
    fi;
    for (p : 0 .. N - 1) {
      run peer(p)
    }
    p = 0
  }
}
