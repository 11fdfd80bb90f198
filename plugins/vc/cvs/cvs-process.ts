import { programEnvironment } from '../environment.ts'
import { createProgram, type Program } from '../program.ts'

/** @param hide texts that must not stand in error messages, and what to show instead. @throws CiError as `createProgram`. */
export function createCvs(bin: string, hide: ReadonlyMap<string, string> = new Map()): Program {
  return createProgram({ bin, option: 'cvsbin', env: cvsEnvironment, hide })
}

const cvsEnvironment = () => programEnvironment(/^CVS/, /^CVS(_RSH|_PASSFILE|_PROXY_PORT)$/, { TZ: 'UTC' })
