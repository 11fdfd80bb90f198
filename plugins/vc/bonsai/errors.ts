import { CiError } from 'boltbot/plugin-sdk'

export const bonsaiFailed = (server: string, why: string, cause?: unknown) =>
  new CiError({
    code: 'BOLT_BONSAI_FAILED',
    message: `The Bonsai server ${server} gives no commits: ${why}.`,
    details: { server },
    hint: 'Open its cvsquery.cgi in a browser.',
    cause,
  })

export const bonsaiTooLong = (server: string, limit: number) =>
  new CiError({
    code: 'BOLT_BONSAI_TOO_LONG',
    message: `The answer of the Bonsai server ${server} is longer than ${limit} bytes.`,
    details: { server, limit },
  })
