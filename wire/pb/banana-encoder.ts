import { BananaWriter, type EncodeOptions } from './banana-writer.ts'
import { PbProblem } from './pb-problem.ts'
import { BananaFloat, type Sexp } from './sexp.ts'

/** Lists within one another. */
const DEEPEST = 256

/** @throws PbProblem when a string is longer than the other end takes, or lists are nested too deep. */
export function encodeBanana(sexp: Sexp, options: EncodeOptions = {}): Buffer {
  const writer = new BananaWriter(options)
  writeBanana(writer, sexp)
  return writer.end()
}

export function writeBanana(writer: BananaWriter, sexp: Sexp, depth = 0): void {
  if (typeof sexp === 'string') writer.text(sexp)
  else if (sexp instanceof Uint8Array) writer.string(sexp)
  else if (sexp instanceof BananaFloat) writer.float(sexp.value)
  else if (typeof sexp === 'bigint' || Number.isInteger(sexp)) writer.integer(sexp as number | bigint)
  else if (typeof sexp === 'number') writer.float(sexp)
  else {
    if (depth === DEEPEST) throw new PbProblem('Lists are nested too deep.')
    writer.list(sexp.length)
    for (const item of sexp) writeBanana(writer, item, depth + 1)
  }
}
