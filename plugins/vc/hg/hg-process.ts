import { programEnvironment } from '../environment.ts'
import { createProgram, type Program } from '../program.ts'

/** @param hide texts that must not stand in error messages, and what to show instead. @throws CiError as `createProgram`. */
export function createHg(bin: string, hide: ReadonlyMap<string, string> = new Map()): Program {
  return createProgram({ bin, option: 'hgbin', env: hgEnvironment, hide })
}

const hgEnvironment = () => programEnvironment(/^HG/, /^HG(RCPATH|SSH)$/, { HGPLAIN: '1', HGENCODING: 'UTF-8' })
