import { programEnvironment } from '../environment.ts'
import { createProgram, type Program } from '../program.ts'

/** @param hide texts that must not stand in error messages, and what to show instead. @throws CiError as `createProgram`. */
export function createBzr(bin: string, hide: ReadonlyMap<string, string> = new Map()): Program {
  return createProgram({ bin, option: 'bzrbin', env: bzrEnvironment, hide })
}

const bzrEnvironment = () =>
  programEnvironment(/^(BZR|BRZ)/, /^(BZR|BRZ)(_?HOME|_SSH|_REMOTE_PATH)$/, {
    BRZ_PROGRESS_BAR: 'none',
    BZR_PROGRESS_BAR: 'none',
  })
