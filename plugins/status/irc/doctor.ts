import { type Doctor, type Finding, hasCode, messageOf } from 'boltbot/plugin-sdk'
import { ircLost } from './errors.ts'
import type { Bot, Channel, Network } from './options.ts'
import { openSession, type Session } from './session.ts'
import { reachNetwork } from './transport.ts'

/** For a channel to let somebody in. */
const JOIN_MS = 10_000

/** Goes to each network as the bot would: connects, logs in, enters the channels, and leaves again. Says nothing there. */
export async function examineNetworks(doctor: Doctor, { networks }: Bot): Promise<readonly Finding[]> {
  return (await Promise.all(networks.map((network) => examine(doctor, network)))).flat()
}

async function examine(doctor: Doctor, network: Network): Promise<readonly Finding[]> {
  const { clock, secrets, signal } = doctor
  const what = `IRC network ${network.name}`
  const session = openSession({
    network,
    transport: reachNetwork,
    clock,
    log: doctor.log,
    secret: (value) => secrets.resolve(value),
    prepare() {},
  })
  const end = () => session.close(ircLost(network.name, 'the check is over'), 'boltbot doctor has looked.')
  signal.addEventListener('abort', end, { once: true })
  try {
    await session.ready
    const certificate = session.certificate()
    const channels = await Promise.all(network.channels.map((channel) => enter(doctor, network, channel, session)))
    return [
      welcome(what, network, session),
      ...(certificate === undefined ? [] : [doctor.certificate(what, certificate)]),
      ...(network.certificate ? [doctor.certificate(`${what}, the bot's own`, network.certificate.cert)] : []),
      ...channels,
    ]
  } catch (error) {
    const cure = hasCode(error, 'BOLT_IRC_LOGIN')
      ? 'Look at account and password of "sasl", or at the certificate, and at the services of the network.'
      : 'Look at host, port, tls, tlsCa and password, and whether this machine may go there.'
    return [{ what, verdict: 'fail', text: messageOf(error), cure }]
  } finally {
    signal.removeEventListener('abort', end)
    end()
  }
}

function welcome(what: string, { nick, sasl, nickserv, tls }: Network, session: Session): Finding {
  const own = session.client.user.nick
  const other = session.client.caseCompare(own, nick) ? '' : `; the nick "${nick}" is taken, perhaps by the bot itself`
  const account = session.account()
  const open = tls ? '' : ' Nothing is encrypted.'
  const wantsAccount = sasl !== undefined || nickserv !== undefined
  if (!wantsAccount) return { what, verdict: 'ok', text: `It lets "${own}" in${other}.${open}` }
  if (account !== undefined)
    return { what, verdict: 'ok', text: `It lets "${own}" in, logged in as "${account}"${other}.${open}` }
  return {
    what,
    verdict: 'fail',
    text: `It lets "${own}" in, but does not log it in${other}.${open}`,
    cure:
      sasl === undefined
        ? 'Look at account and password of "nickserv"; NickServ may be away.'
        : 'The server offers no SASL: use "nickserv", or ask who runs it.',
  }
}

/** Whether a channel lets the bot in. */
async function enter(
  { clock, secrets }: Doctor,
  network: Network,
  channel: Channel,
  session: Session,
): Promise<Finding> {
  const { name, key } = channel
  const { client } = session
  const what = `IRC channel ${name} on ${network.name}`
  const entered = Promise.withResolvers<Finding>()
  const refused = (why: string) =>
    entered.resolve({
      what,
      verdict: 'fail',
      text: `It does not let the bot in: ${why}.`,
      cure: 'Ask who runs the channel.',
    })
  using _ = clock.timer(JOIN_MS, () => refused(`no answer within ${JOIN_MS / 1000} s`))
  client.on('join', (event) => {
    if (client.caseCompare(event.nick, client.user.nick) && client.caseCompare(event.channel, name))
      entered.resolve({ what, verdict: 'ok', text: 'It lets the bot in.' })
  })
  client.on('irc error', ({ channel: closed, error, reason }) => {
    if (closed !== undefined && client.caseCompare(closed, name)) refused((reason ?? error).replace(/\.$/, ''))
  })
  session.raw('JOIN', name, ...(key === undefined ? [] : [secrets.resolve(key)]))
  return await Promise.race([entered.promise, session.ended.then((error) => Promise.reject(error))])
}
