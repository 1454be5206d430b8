/** Bounds of the storage engine. Names end in their unit. */

/** Buffer of a lane, and the most that one read or write call moves. */
export const CHUNK_BYTES = 1024 * 1024

/** Unit of unique content, of O_DIRECT alignment and of ranged reads. */
export const PAGE_BYTES = 4096

/** Threads of one engine: a lane of a file workload is a thread. */
export const LANES_MAX = 512

/** S3 lanes share few threads: an asynchronous client needs no thread an operation. */
export const ASYNC_THREADS_MAX = 2

/** Objects of a listing that are kept to choose from; beyond it, a uniform sample. */
export const LISTED_OBJECTS_MAX = 500_000

/** Distinct kinds of errors that are remembered with an example. */
export const ERROR_SAMPLES_MAX = 16
export const ERROR_MESSAGE_CHARS_MAX = 500

/** A cancelled stage answers within a second; lanes that have not come back by then are given up. */
export const ABORT_GRACE_MS = 700

export const PROGRESS_INTERVAL_MS = 200

/** A custom command's output that is kept. */
export const OUTPUT_BYTES_MAX = 64 * 1024

/** Between a polite and a forced end of a custom command. */
export const COMMAND_KILL_MS = 300

/** A result on the wire: compressed text, and its JSON. */
export const RESULT_TEXT_CHARS_MAX = 8 * 1024 * 1024
export const RESULT_JSON_BYTES_MAX = 64 * 1024 * 1024

/** Samples in one result; a longer stage gets longer intervals. */
export const PERF_SAMPLES_MAX = 3600

/** Requests to one S3 endpoint that one operation may take, retries included. */
export const S3_ATTEMPTS_MAX = 4
export const S3_PART_BYTES_MIN = 5 * 1024 * 1024
