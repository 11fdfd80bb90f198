import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { createTestHost, until } from 'boltbot/plugin-sdk/testing'
import { irc } from 'boltbot/plugins/status/irc'

const ODD = [
  ':srv MODE #hello +nt',
  ':srv MODE #hello +o',
  ':srv MODE #hello',
  ':srv MODE',
  ':srv 353',
  ':srv 353 hellobot = #hello :',
  ':srv 366',
  ':srv KICK',
  ':srv KICK #hello',
  ':srv JOIN',
  ':srv PART',
  ':srv NICK',
  ':srv QUIT',
  ':srv CAP',
  ':srv CAP * NEW',
  ':srv CAP * ACK',
  ':srv AUTHENTICATE',
  ':srv 005 hellobot PREFIX=(ov CHANMODES CASEMAPPING= :are supported',
  ':srv 900',
  ':srv 904',
  ':srv 311 hellobot',
  ':srv 433',
  ':srv 474',
  ':srv PRIVMSG',
  ':jane!j@h PRIVMSG #hello',
  ':jane!j@h PRIVMSG hellobot',
  '@=;;a= :jane!j@h PRIVMSG #hello :',
  ':jane NOTICE',
  ':jane!j@h ACCOUNT',
  ':',
  '@',
  '',
  ' ',
  '\u0000\u0001\u0002',
  `:srv ${'x '.repeat(2000)}`,
]

test('no line of a server ends the bot or its connection', async () => {
  const sockets: Socket[] = []
  const heard: string[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    createInterface({ input: socket }).on('line', (line) => {
      heard.push(line)
      if (line.startsWith('USER')) socket.write(':srv 001 hellobot :Welcome\r\n')
      if (line.startsWith('WHOIS'))
        socket.write(':srv 311 hellobot jane j h * :Jane\r\n:srv 318 hellobot jane :End\r\n')
      if (line.startsWith('JOIN'))
        socket.write(':hellobot!h@h JOIN #hello\r\n:srv 353 hellobot = #hello :hellobot @jane\r\n')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  using _close = {
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
  const { port } = server.address() as AddressInfo // a TCP server has no other address
  await using host = createTestHost()
  await host.run(irc({ host: '127.0.0.1', port, tls: false, nick: 'hellobot', channels: ['#hello'] }))
  await until(() => heard.some((line) => line.startsWith('JOIN')), { what: 'the bot to join' })
  for (const [n, line] of ODD.entries()) {
    sockets[0]!.write(`${line}\r\nPING :${n}\r\n`)
    await until(() => heard.some((one) => new RegExp(`^PONG :?${n}$`).test(one)), {
      what: `an answer after ${JSON.stringify(line)}`,
      seen: () => host.log.text(),
    })
  }
  sockets[0]!.write(':jane!j@h PRIVMSG #hello :hellobot: hello\r\n')
  await until(() => host.records.heard.some(({ text }) => text === 'hello'), { what: 'the bot to hear' })
  assert.equal(sockets.length, 1)
})
