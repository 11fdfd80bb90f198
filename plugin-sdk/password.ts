import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt)

const COST = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 }
const LENGTH = 32
const FORM = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

/**
 * A hash to keep in place of a password, a tenth of a second of work: `$scrypt$ln=15,r=8,p=1$salt$hash`.
 * @example const hash = await hashPassword('open sesame') // resolves with what goes into a config
 */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const hash = await derive(password.normalize('NFC'), salt, LENGTH, COST)
  return `$scrypt$ln=${Math.log2(COST.N)},r=${COST.r},p=${COST.p}$${unpadded(salt)}$${unpadded(hash)}`
}

/**
 * True when it is a hash of this form, of a cost that can be worked out.
 * @example isPasswordHash('open sesame') // false
 */
export function isPasswordHash(text: string): boolean {
  const match = text.match(FORM)
  return match !== null && Number(match[1]) >= 10 && Number(match[1]) <= 17 && Number(match[2]) * Number(match[3]) <= 32
}

/**
 * Whether a password is the one that was hashed. Takes as long for a wrong one.
 * @example const isRight = await isPassword(given, hash) // resolves with whether it is the one
 */
export async function isPassword(password: string, stored: string): Promise<boolean> {
  const [, ln, r, p, salt, hash] = stored.match(FORM) ?? []
  if (hash === undefined || !isPasswordHash(stored)) return false
  const expected = Buffer.from(hash, 'base64')
  const cost = { N: 2 ** Number(ln), r: Number(r), p: Number(p), maxmem: 512 * 1024 * 1024 }
  const given = await derive(password.normalize('NFC'), Buffer.from(salt!, 'base64'), expected.length, cost)
  return timingSafeEqual(given, expected)
}

const unpadded = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')
