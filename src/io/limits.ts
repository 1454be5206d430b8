/** Bounds of the storage engine. Names end in their unit. */

/** Buffer of a lane, and the most that one read or write call moves. */
export const CHUNK_BYTES = 1024 * 1024

/** Unit of unique content, of O_DIRECT alignment and of ranged reads. */
export const PAGE_BYTES = 4096

/** Threads of one engine: a lane of a file workload is a thread. */
export const LANES_MAX = 512

/** S3 lanes share few threads: an asynchronous client needs no thread an operation. Each thread has some of them. */
export const ASYNC_THREADS_MAX = 8
export const ASYNC_LANES_MIN = 8

/** Objects of a listing that are kept to choose from; beyond it, a uniform sample. */
export const LISTED_OBJECTS_MAX = 500_000

/** Distinct kinds of errors that are remembered with an example. */
export const ERROR_SAMPLES_MAX = 16
export const ERROR_MESSAGE_CHARS_MAX = 500

/** A cancelled stage answers within a second; lanes that have not come back by then are given up. */
export const ABORT_GRACE_MS = 700

/** Nothing that can wait is done so long after the start of a stage: agents start together. */
export const QUIET_AFTER_START_MS = 20

/** Who has begun waits so long for others of its host: enough for many of them to begin, too. */
export const OTHERS_BEGIN_MS = 0.5

export const PROGRESS_INTERVAL_MS = 200

/** A custom command's output that is kept. */
export const OUTPUT_BYTES_MAX = 64 * 1024

/** Between a polite and a forced end of a custom command. */
export const COMMAND_KILL_MS = 300

/** A result on the wire: compressed text, and its JSON. */
export const RESULT_TEXT_CHARS_MAX = 8 * 1024 * 1024
export const RESULT_JSON_BYTES_MAX = 64 * 1024 * 1024

/**
 * Samples in one result, and in those of all agents together; a longer stage gets longer intervals. A sample takes about
 * 100 characters: with more than some 4 MiB of results in one decision, peers that have to pass it on are too busy to be
 * heard in time.
 */
export const PERF_SAMPLES_MAX = 3600
export const PERF_SAMPLES_ALL_MAX = 40_000

/** Attempts at one S3 request: as many as the AWS clients make, and the most that AWS_MAX_ATTEMPTS may ask for. */
export const S3_ATTEMPTS_DEFAULT = 3
export const S3_ATTEMPTS_MAX = 10

/** S3's own: the largest object of one request, the smallest part but the last, parts of one upload. */
export const S3_SINGLE_PUT_BYTES_MAX = 5 * 1024 * 1024 * 1024
export const S3_PART_BYTES_MIN = 5 * 1024 * 1024
export const S3_PARTS_MAX = 10_000

/** Of a listing: what S3 gives at most. */
export const S3_PAGE_ENTRIES = 1000
