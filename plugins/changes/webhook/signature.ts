import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** HMAC-SHA-256 of a body as hex, under a prefix (`sha256=`). */
export function isHmac(given: string | undefined, secret: string, body: Uint8Array, prefix = ''): boolean {
  if (given === undefined || !given.startsWith(prefix)) return false
  const right = createHmac('sha256', secret).update(body).digest('hex')
  return isSame(given.slice(prefix.length).toLowerCase(), right)
}

/** Takes equally long whatever differs. */
export function isSame(given: string, right: string): boolean {
  return timingSafeEqual(digest(given), digest(right))
}

const digest = (text: string) => createHash('sha256').update(text).digest()
