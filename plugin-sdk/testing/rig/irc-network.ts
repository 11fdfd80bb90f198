import type { StagedIrcEvents, StagedIrcLink } from '../../stage.ts'

/** One connection of a bot to an IRC network that is only played: as much of a server as a bot notices. */
export interface IrcConnection extends StagedIrcLink {
  readonly network: string
  /** The bot's nick, once it is welcome. */
  readonly nick: string | undefined
  /** Channels the bot is in, in lower case. */
  readonly channels: ReadonlySet<string>
  /** Somebody says a line to a channel or to the bot: `#hello`, `hellobot`. Their account is their nick. */
  says(nick: string, target: string, text: string): void
  /** The master is dead: nothing is heard or said any more. */
  kill(): void
}

/** `told`: the bot said a line to a channel or a nick. */
export function connectIrc(
  network: string,
  events: StagedIrcEvents,
  told: (target: string, text: string) => void,
): IrcConnection {
  const channels = new Set<string>()
  /** Those who spoke. */
  const people = new Set<string>()
  let nick = '*'
  let user = ''
  let welcome = false
  let negotiating = false
  let open = true

  /** Never within a call of the bot, and in order. */
  const send = (line: string) =>
    queueMicrotask(() => {
      if (open) events.line(line)
    })
  const numeric = (code: string, ...words: readonly string[]) => send(`:rig ${code} ${nick} ${words.join(' ')}`)
  const register = () => {
    if (welcome || negotiating || nick === '*' || user === '') return
    welcome = true
    numeric('001', `:Welcome, ${nick}`)
    numeric('005', 'CHANTYPES=# PREFIX=(ov)@+ CASEMAPPING=ascii', ':are supported')
    numeric('422', ':There is no message of the day')
  }
  const loggedIn = (account: string) => numeric('900', `${nick}!${user}@rig`, account, `:You are ${account}`)
  const end = () => {
    if (!open) return
    open = false
    queueMicrotask(() => events.closed())
  }
  const commands: Readonly<Record<string, (words: readonly string[]) => void>> = {
    CAP([sub, ...rest]) {
      negotiating = sub !== 'END'
      if (sub === 'LS') send(`:rig CAP * LS :account-tag sasl`)
      if (sub === 'REQ') send(`:rig CAP ${nick} ACK :${rest.join(' ')}`)
      register()
    },
    AUTHENTICATE([words = '']) {
      if (/^(PLAIN|EXTERNAL)$/.test(words)) return send('AUTHENTICATE +')
      loggedIn(Buffer.from(words, 'base64').toString().split('\0')[1] || nick)
      numeric('903', ':Welcome')
    },
    NICK([wanted = '']) {
      if (welcome) send(`:${nick}!${user}@rig NICK :${wanted}`)
      nick = wanted
      register()
    },
    USER([name = '']) {
      user = name
      register()
    },
    PING: (words) => send(`:rig PONG rig :${words.join(' ')}`),
    JOIN([list = '']) {
      for (const channel of list.split(',')) {
        channels.add(channel.toLowerCase())
        send(`:${nick}!${user}@rig JOIN ${channel}`)
        numeric('353', '=', channel, `:${nick}`)
        numeric('366', channel, ':That was everybody')
      }
    },
    PART([channel = '']) {
      channels.delete(channel.toLowerCase())
      send(`:${nick}!${user}@rig PART ${channel}`)
    },
    WHOIS([who = '']) {
      if (people.has(who)) {
        numeric('311', who, who, 'rig', '*', `:${who}`)
        numeric('330', who, who, ':is logged in as')
      } else numeric('401', who, ':Nobody is called so')
      numeric('318', who, ':That was all')
    },
    PRIVMSG: ([target = '', text = '']) => (/^nickserv$/i.test(target) ? loggedIn(nick) : told(target, text)),
    NOTICE: ([target = '', text = '']) => told(target, text),
    QUIT: end,
  }
  return {
    network,
    get nick() {
      return welcome ? nick : undefined
    },
    channels,
    write(line) {
      if (!open) return
      const [command = '', ...words] = wordsOf(line)
      commands[command.toUpperCase()]?.(words) // a server may be silent about the others
    },
    says(who, target, text) {
      people.add(who)
      send(`@account=${who} :${who}!${who}@rig PRIVMSG ${target} :${text}`)
    },
    close: end,
    kill() {
      open = false
    },
  }
}

/** `PRIVMSG #hello :how are you` → `['PRIVMSG', '#hello', 'how are you']`. */
function wordsOf(line: string): readonly string[] {
  const [head = '', ...last] = line.split(' :')
  const words = head.split(' ').filter((word) => word !== '')
  return last.length === 0 ? words : [...words, last.join(' :')]
}
