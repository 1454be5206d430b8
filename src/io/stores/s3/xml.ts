/** What S3 answers in XML: errors, the ID of an upload, pages of listings. */

import { XMLParser } from 'fast-xml-parser'
import { z } from 'zod'
import { IoError } from '../../errors.ts'

const parser = new XMLParser({ ignoreAttributes: true, parseTagValue: false })

const errorBody = z.object({ Error: z.object({ Code: z.string().max(100), Message: z.string().default('') }) })

export interface S3Fault {
  readonly code: string
  readonly message: string
}

/** Null when the text is no S3 error. */
export function parseFault(text: string): S3Fault | null {
  const read = errorBody.safeParse(parse(text))
  return read.success ? { code: read.data.Error.Code, message: read.data.Error.Message } : null
}

const uploadBody = z.object({ InitiateMultipartUploadResult: z.object({ UploadId: z.string().min(1).max(2000) }) })

/** Throws IoError STORE_REFUSED for anything else. */
export function parseUploadId(text: string): string {
  const read = uploadBody.safeParse(parse(text))
  if (!read.success) throw new IoError('STORE_REFUSED', 'the answer names no upload')
  return read.data.InitiateMultipartUploadResult.UploadId
}

function parse(text: string): unknown {
  try {
    return parser.parse(text)
  } catch {
    // No XML: the schemas say what was expected instead.
    return null
  }
}

export interface ListPage {
  readonly keys: readonly string[]
  readonly prefixes: readonly string[]
  /** Null on the last page. */
  readonly next: string | null
}

/**
 * A page has a thousand keys among much else: a parser that builds all of it takes a hundred times as long, and a
 * listing would then measure the parser. Throws IoError STORE_REFUSED for anything else than a page.
 */
export function parseListPage(text: string): ListPage {
  if (!text.includes('<ListBucketResult')) throw new IoError('STORE_REFUSED', 'the answer is no listing')
  const decode = text.includes('<EncodingType>url</EncodingType>') ? decodeUrl : decodeEntities
  const next = /<NextContinuationToken>([^<]+)</.exec(text)?.[1]
  if (next === undefined && /<IsTruncated>\s*true\s*</.test(text)) {
    throw new IoError('STORE_REFUSED', 'the listing goes on, but does not say where')
  }
  return {
    keys: textsOf(text, /<Key>([^<]*)<\/Key>/g, decode),
    prefixes: textsOf(text, /<CommonPrefixes>\s*<Prefix>([^<]*)<\/Prefix>/g, decode),
    next: next === undefined ? null : decodeEntities(next),
  }
}

function textsOf(text: string, element: RegExp, decode: (text: string) => string): string[] {
  const texts: string[] = []
  for (const match of text.matchAll(element)) texts.push(decode(match[1] ?? ''))
  return texts
}

/** Throws IoError STORE_REFUSED. */
function decodeUrl(text: string): string {
  if (!/[%+&]/.test(text)) return text
  try {
    return decodeURIComponent(decodeEntities(text).replaceAll('+', ' '))
  } catch {
    throw new IoError('STORE_REFUSED', 'the listing has a key that is not encoded as it says')
  }
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function decodeEntities(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|(\w+));/g, (all, hex, decimal, name) => {
    if (name !== undefined) return ENTITIES[name] ?? all
    const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
    return point <= 0x10ffff ? String.fromCodePoint(point) : all
  })
}
