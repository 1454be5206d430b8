/**
 * Who may look. On loopback everybody on this host, as long as a browser was not led here by a page of elsewhere (DNS
 * rebinding: the Host header then names that page's host). On any other address whoever has the token: as a bearer, or
 * once in the address, where it becomes a cookie. Pure but for comparing in constant time.
 */

import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

export interface Gate {
  readonly loopback: boolean
  /** Null: none is needed. */
  readonly token: string | null
  /** Cookies are shared among the ports of a host: each port has one of its own name. */
  readonly port: number
}

export interface Visitor {
  readonly host: string | undefined
  readonly authorization: string | undefined
  readonly cookie: string | undefined
  readonly url: URL
}

export type Verdict =
  | { readonly kind: 'welcome' }
  /** The token was right: go on there, with this cookie. */
  | { readonly kind: 'signed_in'; readonly location: string; readonly cookie: string }
  | { readonly kind: 'refused'; readonly status: 401 | 403; readonly message: string }

export function judge(visitor: Visitor, gate: Gate): Verdict {
  if (gate.loopback && !isLoopback(hostOf(visitor.host))) {
    const message = 'This page is for this host only: ask for it as localhost or 127.0.0.1'
    return { kind: 'refused', status: 403, message }
  }
  const { token } = gate
  if (token === null) return { kind: 'welcome' }
  const asked = visitor.url.searchParams.get('token')
  if (asked !== null && isSame(asked, token)) return signIn(visitor.url, token, gate.port)
  const bearer = /^Bearer +(\S+)$/i.exec(visitor.authorization ?? '')?.[1]
  if (bearer !== undefined && isSame(bearer, token)) return { kind: 'welcome' }
  if (cookiesOf(visitor.cookie, gate.port).some((value) => isSame(value, cookieValue(token)))) {
    return { kind: 'welcome' }
  }
  const message = 'A token is needed: open the address that the node printed when it started, or send it as a bearer'
  return { kind: 'refused', status: 401, message }
}

function signIn(url: URL, token: string, port: number): Verdict {
  const cookie = `${cookieName(port)}=${cookieValue(token)}; Path=/; HttpOnly; SameSite=Strict`
  // Two slashes would name another host.
  return { kind: 'signed_in', location: url.pathname.replace(/^\/+/, '/'), cookie }
}

/** Names and numbers of this host itself. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

/** Of a Host header, without the port. */
function hostOf(header: string | undefined): string {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::\d+)?$/i.exec(header ?? '')
  return (match?.[1] ?? match?.[2] ?? '').toLowerCase()
}

function cookieName(port: number): string {
  return `paceline-${port}`
}

/** Not the token itself: who gets hold of a cookie cannot use it as one elsewhere. */
function cookieValue(token: string): string {
  return createHmac('sha256', token).update('paceline live view').digest('hex')
}

function cookiesOf(header: string | undefined, port: number): string[] {
  const prefix = `${cookieName(port)}=`
  const cookies = (header ?? '').split(';').map((part) => part.trim())
  return cookies.filter((part) => part.startsWith(prefix)).map((part) => part.slice(prefix.length))
}

/** In a time that does not depend on where the two differ. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
