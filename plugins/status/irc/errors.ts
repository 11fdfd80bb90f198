import { CiError } from 'boltbot/plugin-sdk'

export const ircLoginRefused = (network: string, why: string) =>
  new CiError({
    code: 'BOLT_IRC_LOGIN',
    message: `The IRC network "${network}" refused the login: ${why}.`,
    details: { network, why },
    hint: 'Check account and password of "sasl", or the certificate, at the services of the network.',
  })

export const ircLost = (network: string, why: string) =>
  new CiError({
    code: 'BOLT_IRC_LOST',
    message: `The connection to the IRC network "${network}" has ended: ${why}.`,
    details: { network, why },
    hint: 'It is tried again by itself.',
  })

export const ircSilent = (network: string, seconds: number) =>
  new CiError({
    code: 'BOLT_IRC_SILENT',
    message: `The IRC network "${network}" has not said anything for ${seconds} s.`,
    details: { network, seconds },
    hint: 'It is tried again by itself.',
  })

export const ircNoNick = (network: string, nick: string) =>
  new CiError({
    code: 'BOLT_IRC_NICK',
    message: `The IRC network "${network}" has no nickname like "${nick}" left.`,
    details: { network, nick },
    hint: 'Give the bot another nickname.',
  })
