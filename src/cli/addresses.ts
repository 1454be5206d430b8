/** Addresses as they are written on a command line. Pure. */

/** Multiaddrs stay as they are; HOST:PORT becomes one. Null when it is neither. */
export function toMultiaddr(text: string): string | null {
  if (text.startsWith('/')) return text.length > 1 && text.length <= 512 ? text : null
  const parts = splitHostPort(text)
  if (parts === null || !text.includes(':')) return null
  const { host, port } = parts
  if (host.includes(':')) return `/ip6/${host}/tcp/${port}`
  if (host === 'localhost') return `/ip4/127.0.0.1/tcp/${port}`
  return /^[0-9.]+$/.test(host) ? `/ip4/${host}/tcp/${port}` : `/dns/${host}/tcp/${port}`
}

/** "HOST:PORT", "[V6]:PORT", ":PORT" or "PORT"; the host defaults to loopback. */
export function splitHostPort(text: string): { host: string; port: number } | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]:|([A-Za-z0-9._-]*):)?([0-9]{1,5})$/.exec(text)
  if (match === null) return null
  const port = Number(match[3])
  if (port > 65_535) return null
  const host = match[1] ?? (match[2] === undefined || match[2] === '' ? '127.0.0.1' : match[2])
  return { host, port }
}
