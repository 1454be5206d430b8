/** Multipart uploads: parts one after another, so that a lane is one request under way. */

import { IoError } from '../../errors.ts'
import { PAGE_BYTES, S3_PART_BYTES_MIN, S3_PARTS_MAX, S3_SINGLE_PUT_BYTES_MAX } from '../../limits.ts'
import type { S3Endpoint } from './endpoint.ts'
import type { S3Stream } from './operation.ts'
import { encodePart } from './place.ts'
import { parseFault, parseUploadId } from './xml.ts'

/** Null when the object goes in one request. `wanted`: the plan's part size, if any. */
export function partSize(size: number, wanted: number | null): number | null {
  const isLarge = size > S3_SINGLE_PUT_BYTES_MAX
  if (!isLarge && (wanted === null || size <= wanted)) return null
  const smallest = Math.max(wanted ?? S3_PART_BYTES_MIN, S3_PART_BYTES_MIN, Math.ceil(size / S3_PARTS_MAX))
  const part = Math.ceil(smallest / PAGE_BYTES) * PAGE_BYTES
  return part >= size && !isLarge ? null : part
}

export async function upload(
  endpoint: S3Endpoint,
  path: string,
  size: number,
  part: number,
  bodyOf: (offset: number, length: number) => S3Stream,
): Promise<void> {
  const deadline = endpoint.deadline()
  const begun = await endpoint.request({ method: 'POST', path, query: 'uploads=', wantsText: true, deadline })
  const id = encodePart(parseUploadId(begun.text))
  try {
    const tags: string[] = []
    for (let at = 0; at < size; at += part) {
      const query = `partNumber=${tags.length + 1}&uploadId=${id}`
      const body = bodyOf(at, Math.min(part, size - at))
      const { headers } = await endpoint.request({ method: 'PUT', path, query, body, deadline })
      tags.push(tagOf(headers.etag))
    }
    const body = Buffer.from(listOf(tags))
    const query = `uploadId=${id}`
    const { text } = await endpoint.request({ method: 'POST', path, query, body, wantsText: true, deadline })
    // A success by its status may still tell of a failure: the answer begins before the work is done.
    const fault = parseFault(text)
    if (fault !== null) {
      throw new IoError('STORE_REFUSED', `the upload could not be completed (${fault.code})`)
    }
  } catch (error) {
    await forget(endpoint, path, id)
    throw error
  }
}

/** Parts of an upload that is not completed take room until it is aborted. */
async function forget(endpoint: S3Endpoint, path: string, id: string): Promise<void> {
  try {
    await endpoint.request({ method: 'DELETE', path, query: `uploadId=${id}`, isLast: true })
  } catch {
    // The first error is the one to tell; what is left there is for the bucket's lifecycle rules.
  }
}

function tagOf(header: string | string[] | undefined): string {
  if (typeof header === 'string' && /^"?[0-9A-Za-z+/=_-]{1,200}"?$/.test(header)) return header
  throw new IoError('STORE_REFUSED', 'the answer to a part has no ETag')
}

function listOf(tags: readonly string[]): string {
  const parts = tags.map((tag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${tag}</ETag></Part>`)
  return `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`
}
