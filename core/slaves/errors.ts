import { CiError } from 'boltbot/plugin-sdk'

export const slaveNotConnected = (slave: string) =>
  new CiError({
    code: 'BOLT_SLAVES_OFFLINE',
    message: `The slave "${slave}" is not connected.`,
    details: { slave },
    hint: 'To keep it from builds when it comes back, pause it.',
  })

export const instanceNotStarted = (slave: string, why: string) =>
  new CiError({
    code: 'BOLT_SLAVES_NOT_STARTED',
    message: `The latent slave "${slave}" could not be started: ${why}.`,
    details: { slave, why },
    hint: 'It is tried again after a while; look into the log of its engine.',
  })

export const instanceNotFound = (slave: string, engine: string) =>
  new CiError({
    code: 'BOLT_SLAVES_NO_ENGINE',
    message: `The instance of "${slave}" cannot be ended: no plugin "${engine}" runs.`,
    details: { slave, engine },
    hint: 'Put the plugin back into the config, or end the instance by hand.',
  })

export const slaveUnasked = (slave: string) =>
  new CiError({
    code: 'BOLT_SLAVES_UNASKED',
    message: `The latent slave "${slave}" was not asked for.`,
    details: { slave },
    hint: 'Its agents are started by the master, and log in with the password that was made for them.',
  })
