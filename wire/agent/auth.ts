import { createHmac, timingSafeEqual } from 'node:crypto'

/** What both sides of a login know: the name, and a number of each side that was never used before. */
export interface Login {
  readonly name: string
  readonly agentNonce: Uint8Array
  readonly masterNonce: Uint8Array
}

/**
 * Proof that a side knows the password: HMAC-SHA-256 over the login, keyed by the password. The side is part of it, so that neither
 * can give the other its own proof back.
 */
export function prove(password: string, side: 'agent' | 'master', login: Login): Uint8Array {
  const hmac = createHmac('sha256', password)
  for (const part of ['boltbot agent 1', side, login.name, login.agentNonce, login.masterNonce]) {
    const bytes = typeof part === 'string' ? new TextEncoder().encode(part) : part
    hmac.update(`${bytes.length}:`).update(bytes)
  }
  return hmac.digest()
}

/** Takes the same time wherever a wrong proof differs. */
export function isProof(proof: Uint8Array, password: string, side: 'agent' | 'master', login: Login): boolean {
  const right = prove(password, side, login)
  return proof.length === right.length && timingSafeEqual(proof, right)
}
