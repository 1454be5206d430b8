/** Every command with its operands and flags: what args.ts parses, flags.ts checks and help.ts prints. Data only. */

export interface FlagSpec {
  readonly name: string
  /** Placeholder of the value; null for a switch. */
  readonly value: string | null
  readonly help: string
  readonly repeatable?: boolean
  readonly required?: boolean
  /** Environment variable that stands in for the flag. */
  readonly env?: string
}

export interface CommandSpec {
  readonly name: CommandName
  readonly summary: string
  readonly operand: { readonly name: string; readonly required: boolean } | null
  readonly flags: readonly FlagSpec[]
  /** Paragraphs after the flags. */
  readonly notes: readonly string[]
}

export type CommandName =
  | 'run'
  | 'node'
  | 'submit'
  | 'status'
  | 'abort'
  | 'validate'
  | 'report'
  | 'keygen'
  | 'completion'

const RUN_ID: FlagSpec = { name: 'run-id', value: 'ID', help: 'name of the run', required: true }
const AGENTS: FlagSpec = {
  name: 'agents',
  value: 'N',
  help: 'how many agents take part where the plan names none (default: as many as it lists, else all present)',
}
const OUT: FlagSpec = { name: 'out', value: 'DIR', help: 'where result folders are made (default: ./results)' }
const JSON_FLAG: FlagSpec = { name: 'json', value: null, help: 'one JSON document on standard output at the end' }
const SECRET: FlagSpec = {
  name: 'secret-file',
  value: 'FILE',
  help: 'key of the private mesh, from "paceline keygen"',
  env: 'PACELINE_SECRET_FILE',
}
const NO_MDNS: FlagSpec = { name: 'no-mdns', value: null, help: 'do not look for peers by multicast DNS' }
const PEER: FlagSpec = {
  name: 'peer',
  value: 'ADDRESS',
  help: 'a peer to ask: a multiaddr or HOST:PORT; may be repeated',
  repeatable: true,
}
const WAIT: FlagSpec = { name: 'wait', value: 'SECONDS', help: 'how long to look for a peer (default: 5)' }
const ALLOW: FlagSpec = {
  name: 'allow',
  value: 'URI-PREFIX',
  help: 'storage that plans may touch; may be repeated (default: a "paceline" folder in the temp and working directories)',
  repeatable: true,
}
const ENDPOINT: FlagSpec = {
  name: 'endpoint',
  value: 'URL',
  help: 'S3 endpoint of targets that name no host (default: as the AWS environment and ~/.aws say)',
}
const HTTP: FlagSpec = {
  name: 'http',
  value: 'HOST:PORT',
  help: 'show the run there to browsers and Prometheus, to read only (port 0: any; not on loopback: with a token)',
}
const HTTP_TOKEN_FILE: FlagSpec = {
  name: 'http-token-file',
  value: 'FILE',
  help: 'the token that --http asks for (default: none on loopback, else one is made up and printed)',
  env: 'PACELINE_HTTP_TOKEN_FILE',
}
const ALLOW_EXEC: FlagSpec = { name: 'allow-exec', value: null, help: 'let plans run commands (custom stages)' }
const CLIENT_FLAGS: readonly FlagSpec[] = [RUN_ID, PEER, SECRET, NO_MDNS, WAIT]

const EXIT_CODES =
  'Exit codes: 0 completed; 1 aborted or failed; 2 bad usage or plan; 3 quorum lost; 4 no peer found, or busy ' +
  'with another plan; 5 excluded (node --once); 130 interrupted.'
const PLAN = 'PLAN.yaml is a file or a pipe; - is standard input.'
const CTRL_C = 'A first Ctrl-C aborts the plan in order; a second quits at once.'

export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'run',
    summary: 'start local peers, run a plan on them, show the results, tear down',
    operand: { name: 'PLAN.yaml', required: true },
    flags: [
      {
        ...AGENTS,
        help: 'how many local peers to start, those that the plan names among them (default: as many as it lists, else 3)',
      },
      { ...RUN_ID, help: 'name of the run (default: made up)', required: false },
      SECRET,
      ALLOW,
      ALLOW_EXEC,
      ENDPOINT,
      HTTP,
      HTTP_TOKEN_FILE,
      OUT,
      JSON_FLAG,
    ],
    notes: [PLAN, CTRL_C, EXIT_CODES],
  },
  {
    name: 'node',
    summary: 'take part in a run as one of its peers',
    operand: null,
    flags: [
      RUN_ID,
      { name: 'name', value: 'NAME', help: 'name of this peer (default: <hostname>-<pid>)' },
      {
        name: 'listen',
        value: 'ADDRESS',
        help: 'where to listen: a multiaddr or HOST:PORT; may be repeated (default: loopback, any port)',
        repeatable: true,
      },
      { ...PEER, name: 'join', help: 'a peer to join: a multiaddr or HOST:PORT; may be repeated' },
      SECRET,
      { name: 'insecure', value: null, help: 'listen on all interfaces without a secret: anyone can hand in plans' },
      ALLOW,
      ALLOW_EXEC,
      ENDPOINT,
      OUT,
      HTTP,
      HTTP_TOKEN_FILE,
      { name: 'log', value: 'json|pretty', help: 'form of the log (default: pretty on a terminal, else json)' },
      { name: 'once', value: null, help: 'end after one plan, with its exit code' },
      NO_MDNS,
      { name: 'no-rendezvous', value: null, help: 'do not look for peers of this host in the temp directory' },
      { name: 'stop-on-eof', value: null, help: 'leave when standard input ends; leave Ctrl-C to the starter' },
    ],
    notes: [
      'SIGTERM and Ctrl-C leave the run in order: a leader hands over, finished stages count, results written so far ' +
        'stay. The exit code is then 0; where a plan was under way, 130 after Ctrl-C, and 5 with --once (this peer was ' +
        'excluded). A second signal quits at once.',
      EXIT_CODES,
    ],
  },
  {
    name: 'submit',
    summary: 'hand a plan to a run and follow it to its end',
    operand: { name: 'PLAN.yaml', required: true },
    flags: [
      ...CLIENT_FLAGS,
      AGENTS,
      { name: 'detach', value: null, help: 'return as soon as the plan is accepted' },
      JSON_FLAG,
      { ...OUT, help: 'also write a result folder here' },
    ],
    notes: [PLAN, CTRL_C, EXIT_CODES],
  },
  {
    name: 'status',
    summary: 'show the peers of a run and what they do',
    operand: null,
    flags: [...CLIENT_FLAGS, JSON_FLAG],
    notes: ['Exit codes: 0 shown; 4 no peer found.'],
  },
  {
    name: 'abort',
    summary: 'abort the plan that a run is working on',
    operand: null,
    flags: [...CLIENT_FLAGS, { name: 'reason', value: 'TEXT', help: 'what the results will say' }, JSON_FLAG],
    notes: ['Exit codes: 0 aborted, or nothing was running; 1 not aborted; 4 no peer found.'],
  },
  {
    name: 'validate',
    summary: 'check a plan and show its stages, objects and bytes; touches nothing',
    operand: { name: 'PLAN.yaml', required: true },
    flags: [{ ...AGENTS, help: 'reckon with this many agents' }, JSON_FLAG],
    notes: [PLAN, 'Exit codes: 0 valid; 2 not valid.'],
  },
  {
    name: 'report',
    summary: 'rebuild the tables and the report of a result folder',
    operand: { name: 'DIR', required: true },
    flags: [
      { name: 'compare', value: 'DIR', help: 'set the run in the operand beside the one in this folder, with ratios' },
      { name: 'out', value: 'FILE', help: 'the page with the comparison (default: ./compare.html)' },
      JSON_FLAG,
    ],
    notes: ['Exit codes: 0 written; 1 the folder cannot be read or written.'],
  },
  {
    name: 'keygen',
    summary: 'make a key for a private mesh',
    operand: { name: 'FILE', required: false },
    flags: [],
    notes: [
      'Without FILE the key is printed. A file that exists is never overwritten; a new one is readable by you only.',
    ],
  },
  {
    name: 'completion',
    summary: 'print a script that completes commands, flags and files in a shell',
    operand: { name: 'bash|zsh|fish', required: true },
    flags: [],
    notes: [
      'For bash and zsh: put eval "$(paceline completion bash)" (or zsh) into ~/.bashrc (or ~/.zshrc).',
      'For fish: paceline completion fish > ~/.config/fish/completions/paceline.fish',
    ],
  },
]
