import { CiError } from 'boltbot/plugin-sdk'

export const secretEmpty = (plugin: string) =>
  new CiError({
    code: 'BOLT_WEBHOOK_SECRET',
    message: `The secret of the webhook "${plugin}" is empty, so everybody knows it.`,
    details: { plugin },
    hint: 'Put a long random text into its file, and give the same to the forge.',
  })
