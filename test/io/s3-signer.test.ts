import aws4 from 'aws4'
import { describe, expect, it } from 'vitest'
import { encodeKey, encodePart, endpointFor, parsePlace } from '../../src/io/stores/s3/place.ts'
import { Signer } from '../../src/io/stores/s3/signer.ts'

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }

/** What the reference signer says about the same request at the time that ours was signed at. */
function reference(method: string, path: string, query: string, sessionToken: string | null, at: number): string {
  const signed = aws4.sign(
    {
      service: 's3',
      region: 'eu-west-3',
      method,
      host: 'storage.test:9000',
      path: query === '' ? path : `${path}?${query}`,
      headers: {
        'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD',
        'X-Amz-Date': new Date(at).toISOString().replace(/[-:]|\.\d{3}/g, ''),
      },
    },
    { ...credentials, ...(sessionToken === null ? {} : { sessionToken }) },
  )
  return String(signed.headers?.Authorization)
}

function headerOf(headers: readonly string[], name: string): string | undefined {
  const at = headers.indexOf(name)
  return at % 2 === 0 ? headers[at + 1] : undefined
}

describe('the signer', () => {
  const keys = ['plain/key-1_2.~dat', 'a b/ö&=+%?#/(1)!*\'".x', '日本/語']
  const queries = ['', 'uploads=', `partNumber=2&uploadId=${encodePart('a/b+c==')}`]

  for (const sessionToken of [null, 'a-token/with+signs==']) {
    it(`signs as the reference does, ${sessionToken === null ? 'without' : 'with'} a session token`, () => {
      const signer = new Signer({ ...credentials, sessionToken }, 'eu-west-3', 'storage.test:9000')
      // The day changes in between, and with it the key.
      let at = Date.UTC(2026, 11, 31, 23, 59, 58, 500)
      for (const method of ['GET', 'PUT', 'HEAD', 'DELETE', 'POST']) {
        for (const key of keys) {
          for (const query of queries) {
            at += 300
            const path = `/bucket/${encodeKey(key)}`
            const headers = signer.sign(method, path, query, at)
            const theirs = reference(method, path, query, sessionToken, at)
            expect(headerOf(headers, 'authorization'), `${method} ${path} ${query}`).toBe(theirs)
            expect(headerOf(headers, 'x-amz-security-token') ?? null).toBe(sessionToken)
          }
        }
      }
    })
  }
})

describe('s3 URIs', () => {
  it('name a bucket, and perhaps a host before it', () => {
    expect(parsePlace('s3://bucket/a/b')).toEqual({ host: null, bucket: 'bucket', prefix: 'a/b/' })
    expect(parsePlace('s3://my.bucket')).toEqual({ host: null, bucket: 'my.bucket', prefix: '' })
    expect(parsePlace('s3://10.9.0.21/bench/')).toEqual({ host: '10.9.0.21', bucket: 'bench', prefix: '' })
    expect(parsePlace('s3://fast-tier:9000/bench/x/')).toEqual({
      host: 'fast-tier:9000',
      bucket: 'bench',
      prefix: 'x/',
    })
    expect(parsePlace('s3://[::1]:9000/bench/')).toEqual({ host: '[::1]:9000', bucket: 'bench', prefix: '' })
  })

  it('without a usable bucket are refused', () => {
    for (const uri of ['s3://host:9000/', 's3://bad bucket/', 's3://a?x/', 's3:///x/']) {
      expect(() => parsePlace(uri), uri).toThrow('Cannot use')
    }
  })

  it('with a port that there cannot be are refused as such', () => {
    expect(endpointFor('host:9000', 'http://127.0.0.1:1')).toBe('http://host:9000')
    expect(() => endpointFor('host:99999', 'http://127.0.0.1:1')).toThrow('"host:99999" is no host and port')
  })
})
