import type { Stage } from 'boltbot/plugin-sdk'
import { createTransport } from 'nodemailer'
import { type Message, mailFor, type Smtp } from './smtp.ts'

/** In a rig: the same mail to the byte, but no server gets it. */
export function createStagedSmtp(stage: Stage): Smtp {
  const transport = createTransport({ streamTransport: true, buffer: true, newline: 'windows' })
  const compose = async (message: Message, recipient: string) => {
    const { message: source } = await transport.sendMail(mailFor(message, recipient))
    return { source: source as Buffer, from: message.from.address, to: [recipient] } // a buffer, as asked for
  }
  return {
    server: 'the stage',
    async send(message, recipient) {
      await stage.mail(compose(message, recipient))
      return { status: 'delivered' }
    },
    [Symbol.dispose]() {},
  }
}
