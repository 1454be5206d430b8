/** What the process exits with where no error says otherwise. */

/** Of `node --once`, and of whoever follows the plan. */
export const EXIT_OF_STATUS = { completed: 0, aborted: 1, quorum_lost: 3, excluded: 5 } as const

/** As shells report the end by SIGINT, and by SIGTERM. */
export const EXIT_INTERRUPTED = 130
export const EXIT_TERMINATED = 143
