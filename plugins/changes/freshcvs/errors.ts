import { CiError } from 'boltbot/plugin-sdk'

/** Diagnostics of the link to a FreshCVS daemon; `daemon` is `host:port`. */

export const daemonUnreachable = (daemon: string, why: string) =>
  new CiError({
    code: 'BOLT_FRESHCVS_UNREACHABLE',
    message: `The FreshCVS daemon at ${daemon} cannot be reached: ${why}.`,
    details: { daemon },
    hint: 'Start it, or mend "host" and "port". It is tried again by itself.',
  })

export const daemonLost = (daemon: string, why: string) =>
  new CiError({
    code: 'BOLT_FRESHCVS_LOST',
    message: `The link to the FreshCVS daemon at ${daemon} was lost: ${why}.`,
    details: { daemon },
    hint: 'It is opened again by itself. What is committed meanwhile the daemon tells nobody.',
  })

export const loginRefused = (daemon: string, user: string) =>
  new CiError({
    code: 'BOLT_FRESHCVS_REFUSED',
    message: `The FreshCVS daemon at ${daemon} does not let "${user}" in.`,
    details: { daemon, user },
    hint: 'Give the user and password that stand as userpass in its freshCfg file.',
  })

export const otherLogin = (daemon: string, login: 'new' | 'old') =>
  new CiError({
    code: 'BOLT_FRESHCVS_LOGIN',
    message: `The FreshCVS daemon at ${daemon} does not know this login.`,
    details: { daemon, login },
    hint: login === 'new' ? "Give login: 'old': it is of CVSToys 1.0.9 or earlier." : "Leave out login: 'old'.",
  })

export const daemonFailed = (daemon: string, message: string) =>
  new CiError({
    code: 'BOLT_FRESHCVS_FAILED',
    message: `The FreshCVS daemon at ${daemon} refused the login: ${message}.`,
    details: { daemon },
    hint: 'Look at its log.',
  })
