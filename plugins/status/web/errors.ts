import { CiError } from 'boltbot/plugin-sdk'

/** Diagnostics of the web pages. */

export const unknownBuild = (builder: string, number: string) =>
  new CiError({
    code: 'BOLT_WEB_UNKNOWN_BUILD',
    message: `There is no build #${number} of "${builder}".`,
    details: { builder, number },
    hint: 'It may have been removed, as old builds are after a while.',
  })

export const badOrder = (why: string) =>
  new CiError({
    code: 'BOLT_WEB_INVALID',
    message: `The request is malformed: ${why}.`,
    hint: 'Send a JSON object: { "reason": "…", "branch": "main" }.',
  })
