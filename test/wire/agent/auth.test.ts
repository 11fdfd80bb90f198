import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isProof, prove } from '../../../wire/agent/auth.ts'

const login = { name: 'bot', agentNonce: new Uint8Array(32).fill(1), masterNonce: new Uint8Array(32).fill(2) }

test('who knows the password can prove it', () => {
  assert.ok(isProof(prove('secret', 'agent', login), 'secret', 'agent', login))
  assert.ok(isProof(prove('pässwörd', 'master', login), 'pässwörd', 'master', login))
})

test('a proof is good for one password, side, name and pair of numbers only', () => {
  const proof = prove('secret', 'agent', login)
  assert.equal(isProof(proof, 'other', 'agent', login), false)
  assert.equal(isProof(proof, 'secret', 'master', login), false)
  assert.equal(isProof(proof, 'secret', 'agent', { ...login, name: 'bo' }), false)
  assert.equal(isProof(proof, 'secret', 'agent', { ...login, masterNonce: new Uint8Array(32) }), false)
  assert.equal(isProof(proof, 'secret', 'agent', { ...login, agentNonce: new Uint8Array(32) }), false)
  assert.equal(isProof(proof.subarray(1), 'secret', 'agent', login), false)
  assert.equal(isProof(new Uint8Array(), 'secret', 'agent', login), false)
})

test('parts of a login cannot be moved from one to the next', () => {
  const moved = { name: 'bo', agentNonce: new Uint8Array([116, ...login.agentNonce]), masterNonce: login.masterNonce }
  assert.notDeepEqual(prove('secret', 'agent', login), prove('secret', 'agent', moved))
})
