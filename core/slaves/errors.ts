import { CiError } from 'boltbot/plugin-sdk'

export const slaveNotConnected = (slave: string) =>
  new CiError({
    code: 'BOLT_SLAVES_OFFLINE',
    message: `The slave "${slave}" is not connected.`,
    details: { slave },
    hint: 'To keep it from builds when it comes back, pause it.',
  })
