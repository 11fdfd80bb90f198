import { programEnvironment } from '../environment.ts'
import { createProgram, type Program } from '../program.ts'

/** @param hide texts that must not stand in error messages, and what to show instead. @throws CiError as `createProgram`. */
export function createDarcs(bin: string, hide: ReadonlyMap<string, string> = new Map()): Program {
  return createProgram({ bin, option: 'darcsbin', env: darcsEnvironment, hide })
}

const darcsEnvironment = () =>
  programEnvironment(/^DARCS_/, /^DARCS_(SSH|SCP|SFTP|KEEP_TMPDIR|CONNECTION_TIMEOUT)$/, {
    DARCS_DONT_COLOR: '1',
    DARCS_DONT_ESCAPE_ANYTHING: '1',
  })
