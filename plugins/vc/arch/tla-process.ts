import { programEnvironment } from '../environment.ts'
import { createProgram, type Program } from '../program.ts'

/** @throws CiError as `createProgram`. */
export function createTla(bin: string): Program {
  return createProgram({ bin, option: 'tlabin', env: () => programEnvironment(/^ARCH_/, /^$/, {}) })
}
