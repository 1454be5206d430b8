/** In which sizes the model is searched, and which lies it is told. */

export interface Setting {
  readonly name: string
  readonly defines: Readonly<Record<string, number>>
  /** Bitstate hashing in a table of 2^bits bits: most of the states, in little memory. Else all of them. */
  readonly bits?: number
}

export interface Lie {
  readonly name: string
  readonly define: string
  readonly setting: Setting
}

const barriers: Setting = {
  name: '3 members, 2 barriers, 2 elections',
  defines: { N: 3, FIRST: 1, LAST: 2, ELECTIONS: 2 },
}

const start: Setting = {
  name: '3 peers, the start and 1 barrier, 1 change of leader',
  defines: { N: 3, FIRST: 0, LAST: 1, ELECTIONS: 1 },
}

const later: Setting = {
  name: '3 members, 1 barrier, 3 elections',
  defines: { N: 3, TERMS: 1, FIRST: 1, LAST: 1, ELECTIONS: 3 },
}

export const settings: readonly Setting[] = [barriers, start, later]

/** Three bits a state: such a table is full, and the search at its end, after some 55 million states. */
const BITS = 27

export const longSettings: readonly Setting[] = [
  {
    name: '3 peers, the start and 1 barrier, 2 changes of leader (bitstate)',
    defines: { N: 3, FIRST: 0, LAST: 1, ELECTIONS: 2 },
    bits: BITS + 2,
  },
  {
    name: '3 members, 2 barriers, 3 elections (bitstate)',
    defines: { N: 3, FIRST: 1, LAST: 2, ELECTIONS: 3 },
    bits: BITS,
  },
  {
    name: '3 members, 3 barriers, 2 elections (bitstate)',
    defines: { N: 3, FIRST: 1, LAST: 3, ELECTIONS: 2 },
    bits: BITS,
  },
  {
    name: '4 members, 2 barriers, 2 elections (bitstate)',
    defines: { N: 4, FIRST: 1, LAST: 2, ELECTIONS: 2 },
    bits: BITS,
  },
]

/** Lies are found early: fewer ballots make less to compile. */
const few: Setting = { name: 'one term', defines: { N: 3, TERMS: 1, FIRST: 1, LAST: 2, ELECTIONS: 3 } }
const four: Setting = { name: 'four members', defines: { N: 4, TERMS: 1, FIRST: 1, LAST: 2, ELECTIONS: 2 } }
const starts: Setting = { name: 'two changes of leader', defines: { N: 3, FIRST: 0, LAST: 1, ELECTIONS: 2 } }

export const lies: readonly Lie[] = [
  { name: 'a quorum is one too small', define: 'LIE_SMALL_QUORUM', setting: few },
  { name: 'votes are forgotten', define: 'LIE_FORGOTTEN_VOTE', setting: few },
  { name: 'the promise is ignored when a proposal comes', define: 'LIE_PROMISE_IGNORED', setting: few },
  { name: 'accepting is no promise', define: 'LIE_ACCEPTS_WITHOUT_PROMISE', setting: later },
  { name: 'a vote does not say what was accepted', define: 'LIE_SILENT_VOTE', setting: few },
  { name: 'an accepted value is not carried over', define: 'LIE_NOT_CARRIED', setting: few },
  { name: 'the accepted value of the lowest ballot is carried over', define: 'LIE_LOWEST_CARRIED', setting: later },
  { name: 'the quorum is counted over the next members', define: 'LIE_NEXT_MEMBERS_COUNTED', setting: four },
  { name: 'the release of an older term is obeyed', define: 'LIE_OLDER_RELEASE_OBEYED', setting: few },
  { name: 'a ready of an earlier stage counts', define: 'LIE_EARLIER_READY', setting: few },
  { name: 'a release is announced before a majority has it', define: 'LIE_ANNOUNCED_EARLY', setting: few },
  { name: 'a new incarnation votes', define: 'LIE_NEW_INCARNATION_VOTES', setting: few },
  { name: 'a start needs a majority only', define: 'LIE_START_BY_MAJORITY', setting: start },
  { name: 'a start that another leader carried over is freed', define: 'LIE_CARRIED_START_FREED', setting: starts },
  { name: 'a start is accepted late, whatever was promised since', define: 'LIE_PROMISE_IGNORED', setting: starts },
  { name: 'a refusal frees a start that was accepted', define: 'LIE_REFUSES_AFTER_ACCEPTING', setting: starts },
]
