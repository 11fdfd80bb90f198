// The process of a mail server that takes all mails: tells its port over IPC, and ends with whoever started it.
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

const server = new SMTPServer({
  disabledCommands: ['STARTTLS', 'AUTH'],
  disableReverseLookup: true,
  onData(stream, _, done) {
    stream.on('end', () => done()).resume()
  },
})
server.listen(0, '127.0.0.1', () => process.send?.((server.server.address() as AddressInfo).port)) // it listens on TCP
process.on('disconnect', () => process.exit())
