// Claim: Banana and jelly are decoded and encoded at 150 MB/s or better, on the recorded session of a worker with much output, and
// at ten times the pace of Twisted's own on the same bytes. Time of the CPU is counted.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bytesOf, readCapture } from '../test/wire/pb/captures.ts'
import { createBananaDecoder } from '../wire/pb/banana-decoder.ts'
import { giveBack } from '../wire/pb/banana-writer.ts'
import { encodeValue } from '../wire/pb/jelly.ts'
import { FRIEND } from '../wire/pb/limits.ts'
import type { Sexp } from '../wire/pb/sexp.ts'
import { unjelly } from '../wire/pb/unjelly.ts'
import { Referenceable, RemoteReference, type Value } from '../wire/pb/values.ts'
import { median, report } from './report.ts'

const ROUNDS = 5
const REPEATS = 200
const READ = 64 * 1024
const bytes = bytesOf(readCapture('pb-bigoutput'), 'c2s')
const object = new Referenceable({})
const references = {
  remote: (luid: number) => new RemoteReference(luid, () => new Promise(() => {})),
  local: () => object,
}

const ours = measure()
const theirs = twisted()
for (const [name, pace, against] of [
  ['PB decode', ours.decode, theirs?.decode],
  ['PB encode', ours.encode, theirs?.encode],
] as const) {
  report({ name, ours: pace, against: 150, unit: 'MB/s', limit: 'a fixed aim', aim: { atLeast: 1 } })
  if (against !== undefined)
    report({ name, ours: pace, against, unit: 'MB/s', limit: "Twisted's own, same bytes", aim: { atLeast: 10 } })
}

/** Each by itself, as for Twisted: what the one leaves to be collected is not counted for the other. */
function measure(): { readonly decode: number; readonly encode: number } {
  const values: Value[] = []
  const decode = rounds(() => {
    values.length = 0
    decodeAll(values)
  })
  const encode = rounds(() => {
    // As a link does once the system has them; Twisted's are dropped, too.
    for (const value of values) giveBack(encodeValue(value, () => 1))
  })
  return { decode, encode }
}

function rounds(act: () => void): number {
  const paces = Array.from({ length: ROUNDS + 1 }, () => {
    const began = cpuMs()
    for (let repeat = 0; repeat < REPEATS; repeat++) act()
    return paceSince(began)
  })
  return median(paces.slice(1)) // the first is for the compiler
}

/** Of this process, with its collector: others on the machine do not count. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function paceSince(began: number): number {
  return (bytes.length * REPEATS) / 1e3 / (cpuMs() - began)
}

function decodeAll(values: Value[]): void {
  const decoder = createBananaDecoder(FRIEND, (sexp) => {
    if (Array.isArray(sexp)) for (const part of sexp) if (isJellied(part)) values.push(unjelly(part, references))
  })
  for (let at = 0; at < bytes.length; at += READ) decoder.push(bytes.subarray(at, at + READ))
}

/** Arguments and results; the rest of a message is of the broker. */
function isJellied(part: Sexp): boolean {
  return Array.isArray(part)
}

/** `undefined` when Debian's python3-twisted is not installed. */
function twisted(): { readonly decode: number; readonly encode: number } | undefined {
  const file = join(tmpdir(), 'boltbot-bench-session')
  writeFileSync(file, bytes)
  const { status, stdout } = spawnSync('/usr/bin/python3', [join(import.meta.dirname, 'pb-codec-twisted.py'), file], {
    encoding: 'utf8',
  })
  return status === 0 ? JSON.parse(stdout) : undefined
}
