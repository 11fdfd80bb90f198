import { hasCode } from 'boltbot/plugin-sdk'
import { programEnvironment } from '../environment.ts'
import { hostKeyRefused } from '../errors.ts'
import { createProgram } from '../program.ts'

/** Runs git on the master's machine: no shell, no questions, nothing of the surroundings but how to reach a server. */
export type Git = (args: readonly string[], options?: GitRun) => Promise<Buffer>

export interface GitRun {
  /** The bare repository it works in; left out: none. */
  readonly gitDir?: string
  readonly stdin?: string
  /** Ends git and all it started; the promise rejects with its reason. */
  readonly signal?: AbortSignal
}

export interface GitSettings {
  /** Texts that must not stand in error messages, and what to show instead. */
  readonly hide?: ReadonlyMap<string, string>
  /** On top of the environment. */
  readonly env?: () => Readonly<Record<string, string>>
}

/** @throws CiError `BOLT_VC_MISSING`, `BOLT_VC_FAILED`, `BOLT_VC_OUTPUT`, `BOLT_VC_HOST_KEY`. */
export function createGit(gitbin: string, { hide = new Map(), env = () => ({}) }: GitSettings = {}): Git {
  const git = createProgram({ bin: gitbin, option: 'gitbin', hide, env: () => ({ ...gitEnvironment(), ...env() }) })
  return async (args, { gitDir, ...run } = {}) => {
    try {
      return await git(gitDir === undefined ? args : [`--git-dir=${gitDir}`, ...args], run)
    } catch (error) {
      if (!hasCode(error, 'BOLT_VC_FAILED') || !UNKNOWN_HOST.test(String(error.details.stderr))) throw error
      throw hostKeyRefused(String(error.details.action), error)
    }
  }
}

/** Words of ssh. */
const UNKNOWN_HOST = /^(?:Host key verification failed|No \S+ host key is known for )/m

/** Of git's own variables only those that say how to reach a server: others (`GIT_DIR` in a hook) would lead it astray. */
function gitEnvironment(): Record<string, string> {
  const found = programEnvironment(/^GIT_/, KEPT, { GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' })
  return { GIT_SSH_COMMAND: 'ssh -o BatchMode=yes', ...found }
}

const KEPT = /^GIT_(SSH|SSH_COMMAND|SSH_VARIANT|SSL_.*|HTTP_.*|PROXY_.*|EXEC_PATH|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM))$/
