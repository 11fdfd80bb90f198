// The process of an IRC network that takes whatever it is told: tells its port over IPC, and on each message from whoever started it how
// many ends of builds were said in its channels. It ends with them.
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

let told = 0
const server = createServer(serve)
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port)) // it listens on TCP
process.on('message', () => process.send?.(told))
process.on('disconnect', () => process.exit())

function serve(socket: Socket): void {
  let nick = '*'
  const say = (line: string) => socket.write(`:irc.example.org ${line}\r\n`)
  socket.on('error', () => {})
  createInterface(socket).on('line', (line) => {
    const [command = '', target = ''] = line.split(' ')
    switch (command) {
      case 'CAP':
        if (target === 'LS') say('CAP * LS :')
        break
      case 'NICK':
        nick = target
        break
      case 'USER':
        say(`001 ${nick} :Welcome`)
        say(`005 ${nick} CHANTYPES=# PREFIX=(ov)@+ :are supported by this server`)
        say(`422 ${nick} :There is no message of the day`)
        break
      case 'JOIN':
        socket.write(`:${nick}!bot@localhost JOIN ${target}\r\n`)
        say(`353 ${nick} = ${target} :${nick}`)
        say(`366 ${nick} ${target} :End of the list`)
        break
      case 'PING':
        say(`PONG irc.example.org ${target}`)
        break
      case 'PRIVMSG':
        if (target.startsWith('#')) told += line.split('has ended').length - 1
        break
      case 'QUIT':
        socket.end()
    }
  })
}
