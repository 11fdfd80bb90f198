import { closeSync, fstatSync, openSync, readSync, unlinkSync } from 'node:fs'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { writeWhole } from './log-index.ts'

/**
 * A finished log, compressed: blocks of 256 KiB, each by itself, so that reading a part costs a part.
 *
 * ```
 * block … block   6 bytes for the end of each block   4 bytes number of blocks   4 bytes of mark
 * ```
 */
export interface CompressedLog {
  /** Fills `into` with the bytes from `offset` on. */
  read(into: Uint8Array, offset: number): void
  close(): void
}

const BLOCK = 256 * 1024
const MARK = Buffer.from('blz1')
/** What a block becomes fits in at one go, also when it cannot be made smaller: it has this memory for itself. */
const ROOM = BLOCK + 4096
const OPTIONS = {
  chunkSize: ROOM,
  params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 },
}

/** Compresses a file of known length into a new one, block by block: the caller decides when to go on. */
export interface Compressing {
  readonly fd: number
  /** Does one more block; true when all is written. */
  step(): boolean
  close(): void
  /** Closes and takes back what was written. */
  drop(): void
}

export function compressLog(source: string, target: string, length: number): Compressing {
  const from = openSync(source, 'r')
  let fd: number
  try {
    fd = openSync(target, 'w+', 0o640)
  } catch (error) {
    closeSync(from)
    throw error
  }
  const buffer = Buffer.allocUnsafe(Math.min(BLOCK, length))
  const ends: number[] = []
  let done = 0
  let written = 0
  const close = () => {
    closeSync(from)
    closeSync(fd)
  }
  return {
    fd,
    step() {
      if (done < length) {
        const size = Math.min(BLOCK, length - done)
        readWhole(from, buffer.subarray(0, size), done)
        const block = zstdCompressSync(buffer.subarray(0, size), OPTIONS)
        writeWhole(fd, block, written)
        written += block.length
        ends.push(written)
        // Now, not when the collector comes by: that would be after many blocks.
        if (block.buffer.byteLength === ROOM) block.buffer.transfer(0)
        done += size
        if (done < length) return false
      }
      writeWhole(fd, trailer(ends), written)
      return true
    },
    close,
    drop() {
      close()
      unlinkSync(target)
    },
  }
}

export function openCompressed(path: string): CompressedLog {
  const fd = openSync(path, 'r')
  const { size } = fstatSync(fd)
  const tail = Buffer.alloc(8)
  if (size >= 8) readWhole(fd, tail, size - 8)
  if (!tail.subarray(4).equals(MARK)) {
    closeSync(fd)
    throw new Error(`${path} is damaged`)
  }
  const table = size - 8 - tail.readUInt32LE(0) * 6
  /** Neighbouring reads are the rule. */
  let kept: { readonly index: number; readonly bytes: Buffer } | undefined

  function block(index: number): Buffer {
    if (kept?.index === index) return kept.bytes
    const start = index === 0 ? 0 : end(index - 1)
    const packed = Buffer.allocUnsafe(end(index) - start)
    readWhole(fd, packed, start)
    const bytes = zstdDecompressSync(packed)
    kept = { index, bytes }
    return bytes
  }

  function end(index: number): number {
    const entry = Buffer.allocUnsafe(6)
    readWhole(fd, entry, table + index * 6)
    return entry.readUIntLE(0, 6)
  }

  return {
    read(into, offset) {
      for (let done = 0; done < into.length; ) {
        const bytes = block(Math.floor((offset + done) / BLOCK))
        const piece = bytes.subarray((offset + done) % BLOCK).subarray(0, into.length - done)
        if (piece.length === 0) throw new Error(`${path} is damaged`)
        into.set(piece, done)
        done += piece.length
      }
    },
    close: () => closeSync(fd),
  }
}

/** Reads exactly as much as fits, or throws. */
export function readWhole(fd: number, into: Uint8Array, position: number): void {
  for (let done = 0; done < into.length; ) {
    const count = readSync(fd, into, done, into.length - done, position + done)
    if (count === 0) throw new Error('file is shorter than its index says')
    done += count
  }
}

function trailer(ends: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(ends.length * 6 + 8)
  ends.forEach((end, i) => void bytes.writeUIntLE(end, i * 6, 6))
  bytes.writeUInt32LE(ends.length, ends.length * 6)
  MARK.copy(bytes, ends.length * 6 + 4)
  return bytes
}
