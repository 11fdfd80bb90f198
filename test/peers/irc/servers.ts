import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from 'boltbot/plugin-sdk/testing'
import { reservePort } from '../../e2e/rig/ports.ts'
import { type Server, startServer } from '../rig/server.ts'
import { connectPerson } from './person.ts'

export interface InspircdOptions {
  readonly name?: string
  readonly id?: string
  /** Where other servers and services link to this one. */
  readonly linkPort: number
  /** The link port of the other server: this one calls it. */
  readonly uplink?: { readonly name: string; readonly port: number }
  /** The other server may link to this one, and is called from here by an operator's CONNECT. */
  readonly peer?: { readonly name: string; readonly port: number }
  /** The limits of a real network: who floods is thrown out. */
  readonly strict?: boolean
  /** Lines carry the account of who says them; default true. */
  readonly accountTag?: boolean
  /** A port with TLS beside the other; the fingerprints of clients' certificates are SHA-256. */
  readonly tls?: boolean
}

export interface Inspircd extends Server {
  /** 0 without TLS. */
  readonly tlsPort: number
  /** Its own certificate, which signs itself. */
  readonly certificate: () => string
}

export async function startInspircd({
  name = 'irc.test.invalid',
  id = '001',
  linkPort,
  uplink,
  peer,
  strict = false,
  accountTag = true,
  tls = false,
}: InspircdOptions): Promise<Inspircd> {
  const port = await reservePort()
  const tlsPort = tls ? await reservePort() : 0
  let home = ''
  const limits = strict
    ? 'threshold="10" commandrate="1000" fakelag="no"'
    : 'threshold="1000" commandrate="100000" fakelag="no"'
  const link = (other: string, at: number, auto: boolean) =>
    `<link name="${other}" ipaddr="127.0.0.1" port="${at}" allowmask="127.0.0.1/32" sendpass="linkpass" recvpass="linkpass">${auto ? `<autoconnect period="2" server="${other}">` : ''}`
  const text = `
<server name="${name}" description="peer" id="${id}" network="TestNet">
<admin name="t" nick="t" email="t@test.invalid">
<bind address="127.0.0.1" port="${port}" type="clients">
<bind address="127.0.0.1" port="${linkPort}" type="servers">
<connect allow="*" timeout="30" localmax="200" globalmax="200" softsendq="1048576" hardsendq="2097152" recvq="65536" ${limits} pingfreq="60">
<performance nouserdns="yes" softlimit="1000" somaxconn="128">
<options prefixquit="" defaultmodes="not" casemapping="ascii">
<security maxtargets="20">
<type name="Root" classes="all"><class name="all" commands="*" privs="*" usermodes="*" chanmodes="*">
<oper name="oper" password="operpass" host="*@*" type="Root">
${['cap', 'sasl', 'services_account', 'spanningtree', 'ircv3', 'ircv3_servertime', 'ircv3_echomessage', 'ircv3_labeledresponse', 'ircv3_batch', 'ircv3_msgid', 'ircv3_ctctags', 'ircv3_capnotify', 'messageflood', 'svshold', 'hidechans', 'namesx', 'uhnames', 'sajoin', 'alias', 'botmode', ...(accountTag ? ['ircv3_accounttag'] : [])].map((one) => `<module name="${one}">`).join('')}
${link('services.test.invalid', linkPort, false)}
${uplink ? link(uplink.name, uplink.port, true) : ''}${peer ? link(peer.name, peer.port, false) : ''}
<uline server="services.test.invalid" silent="yes"><sasl target="services.test.invalid" requiressl="no">
`
  const encrypted = (directory: string) =>
    `<module name="ssl_gnutls"><module name="sslinfo"><bind address="127.0.0.1" port="${tlsPort}" type="clients" sslprofile="tls">
<sslprofile name="tls" provider="gnutls" certfile="${directory}/cert.pem" keyfile="${directory}/key.pem" hash="sha256" requestclientcert="yes">`
  const server = await startServer({
    port,
    account: 'irc',
    prepare: (directory) => {
      home = directory
      if (tls) makeCertificate(directory, 'localhost')
      writeFileSync(
        join(directory, 'inspircd.conf'),
        `${text}${tls ? encrypted(directory) : ''}<pid file="${directory}/inspircd.pid"><log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="${directory}/inspircd.log">`,
      )
      return ['/usr/sbin/inspircd', '--nofork', '--config', join(directory, 'inspircd.conf')]
    },
  })
  return { ...server, tlsPort, certificate: () => readFileSync(join(home, 'cert.pem'), 'utf8') }
}

/** NickServ and SASL for a server that listens on the link port. */
export async function startAnope(linkPort: number): Promise<Server> {
  const text = readFileSync(join(import.meta.dirname, 'anope.conf'), 'utf8')
  return startServer({
    port: null,
    account: 'irc',
    prepare: (directory) => {
      for (const folder of ['conf', 'db', 'log']) mkdirSync(join(directory, folder))
      writeFileSync(join(directory, 'motd'), 'services\n')
      writeFileSync(
        join(directory, 'conf', 'services.conf'),
        text.replaceAll('@DIR@', directory).replaceAll('@LINKPORT@', `${linkPort}`),
      )
      return [
        '/usr/sbin/anope',
        '--nofork',
        `--confdir=${directory}/conf`,
        `--dbdir=${directory}/db`,
        `--logdir=${directory}/log`,
        '--modulesdir=/usr/lib/anope',
        '--localedir=/usr/share/locale',
      ]
    },
  })
}

export interface Network extends AsyncDisposable {
  readonly server: Inspircd
  readonly services: Server
}

/** A server with services for accounts, linked to it. */
export async function startNetwork(options: Omit<InspircdOptions, 'linkPort'> = {}): Promise<Network> {
  const linkPort = await reservePort()
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startInspircd({ ...options, linkPort }))
  const services = stack.use(await startAnope(linkPort))
  const started = stack.move()
  return { server, services, [Symbol.asyncDispose]: () => started.disposeAsync() }
}

/** The same, and a second server that is linked to the first. */
export async function startLinkedNetwork(
  options: Pick<InspircdOptions, 'strict' | 'accountTag'>,
): Promise<Network & { readonly leaf: Inspircd }> {
  const [linkPort, leafPort] = [await reservePort(), await reservePort()]
  const leafName = 'leaf.test.invalid'
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startInspircd({ ...options, linkPort, peer: { name: leafName, port: leafPort } }))
  const uplink = { name: 'irc.test.invalid', port: linkPort }
  const leaf = stack.use(await startInspircd({ ...options, name: leafName, id: '002', linkPort: leafPort, uplink }))
  const services = stack.use(await startAnope(linkPort))
  const started = stack.move()
  return { server, leaf, services, [Symbol.asyncDispose]: () => started.disposeAsync() }
}

export interface Ngircd extends Server {
  readonly tlsPort: number
  /** Its own certificate, which signs itself. */
  readonly certificate: () => string
}

export async function startNgircd({ password = '' } = {}): Promise<Ngircd> {
  const [port, tlsPort] = [await reservePort(), await reservePort()]
  let home = ''
  const server = await startServer({
    port,
    account: 'nobody',
    prepare: (directory) => {
      home = directory
      makeCertificate(directory, 'localhost')
      writeFileSync(join(directory, 'motd'), 'test server\n')
      writeFileSync(
        join(directory, 'ngircd.conf'),
        `
[Global]
Name = irc.test.invalid
Info = peer
Listen = 127.0.0.1
Ports = ${port}
MotdFile = ${directory}/motd
PidFile = ${directory}/ngircd.pid
AdminEMail = admin@test.invalid
${password && `Password = ${password}`}
[Limits]
MaxConnectionsIP = 0
MaxJoins = 50
PingTimeout = 120
PongTimeout = 20
[Options]
DNS = no
Ident = no
PAM = no
[SSL]
CertFile = ${directory}/cert.pem
KeyFile = ${directory}/key.pem
Ports = ${tlsPort}
[Operator]
Name = oper
Password = operpass
`,
      )
      return ['/usr/sbin/ngircd', '--nodaemon', '--config', join(directory, 'ngircd.conf')]
    },
  })
  return { ...server, tlsPort, certificate: () => readFileSync(join(home, 'cert.pem'), 'utf8') }
}

/** Registers an account with NickServ. */
export async function registerAccount(port: number, account: string, password: string): Promise<void> {
  await using person = await connectPerson(port, account)
  await until(
    async () => {
      person.send(`PRIVMSG NickServ :REGISTER ${password} ${account}@test.invalid`)
      return person.line(/NickServ.*(registered|already)/i, 1000).catch(() => undefined)
    },
    { what: `NickServ to register ${account}`, deadline: 30_000, seen: () => person.lines.join('\n') },
  )
}

/** A certificate that signs itself, as cert.pem with key.pem. */
export function makeCertificate(directory: string, name: string): void {
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const files = ['-keyout', join(directory, 'key.pem'), '-out', join(directory, 'cert.pem')]
  spawnSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', ...subject, ...files])
}
