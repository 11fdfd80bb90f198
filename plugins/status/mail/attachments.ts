import { gzipSync } from 'node:zlib'
import type { Attachment, BuildView, Query } from 'boltbot/plugin-sdk'
import type { Facts } from './facts.ts'
import type { Mailing } from './options.ts'

/** All logs of one mail, packed. */
const MAX_PACKED = 1024 * 1024
/** Of one log: its end. */
const MAX_LOG = 8 * 1024 * 1024

/** The patch of a try build, and the logs that are asked for. What does not fit any more is left out, the pages have it. */
export async function attachmentsOf(
  query: Pick<Query, 'log' | 'readLog'>,
  { addLogs, addPatch }: Pick<Mailing, 'addLogs' | 'addPatch'>,
  { build, failing }: Facts,
): Promise<readonly Attachment[]> {
  const found: Attachment[] = []
  const patch = build?.sourceStamp.patch
  if (addPatch && patch)
    found.push({
      name: 'patch.diff',
      type: 'text/x-diff',
      base64: base64(Buffer.from(patch.body, patch.encoding ?? 'utf8')),
    })
  if (build === undefined || addLogs === false) return found
  let room = MAX_PACKED
  for (const { step, number, log } of wanted(build, addLogs, failing?.number)) {
    const packed = gzipSync(await endOf(query, build.id, number, log))
    if (packed.length > room) continue
    room -= packed.length
    const name = `${step}.${log}`.replace(/[^\w.-]+/g, '_').slice(0, 100)
    found.push({ name: `${name}.log.gz`, type: 'application/gzip', base64: base64(packed) })
  }
  return found
}

function wanted({ steps }: BuildView, addLogs: true | readonly string[], failing: number | undefined) {
  const all = steps.flatMap(({ name, number, logs }) => logs.map((log) => ({ step: name, number, log })))
  if (addLogs === true) return all.filter(({ number }) => number === failing)
  return all.filter(({ step, log }) => addLogs.includes(step) || addLogs.includes(`${step}.${log}`))
}

async function endOf(query: Pick<Query, 'log' | 'readLog'>, build: number, step: number, log: string): Promise<Buffer> {
  const place = { build, step, log }
  const bytes = (await query.log(place))?.bytes ?? 0
  const from = Math.max(0, bytes - MAX_LOG)
  const pieces: Uint8Array[] = from === 0 ? [] : [Buffer.from(`The first ${from} bytes are left out.\n`)]
  for (let at = from; at < bytes; ) {
    const part = await query.readLog(place, at)
    pieces.push(...part.pieces.map(({ data }) => data))
    if (part.next <= at) break
    at = part.next
  }
  return Buffer.concat(pieces)
}

const base64 = (data: Buffer) => data.toString('base64')
