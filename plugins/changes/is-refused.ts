import { CiError } from 'boltbot/plugin-sdk'

/** The change itself was refused, so it would be again. The store failing or the plugin being stopped is no such case. */
export function isRefused(error: unknown): error is CiError {
  return error instanceof CiError && !/^BOLT_(STORE|HOST)_/.test(error.code)
}
