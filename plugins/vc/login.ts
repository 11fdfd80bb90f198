import { isSecretRef, type Renderable, type SecretRef, type StepContext } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { anyText, renderable } from './checkout-options.ts'

/** How a program gets in where it asks for a password: at its standard input, as a command line can be read by all users of a machine. */
export interface StepLogin {
  readonly username?: Renderable<string> | undefined
  /** Best as a `secret('…')`. Never stands on a command line, nor in a log. */
  readonly password?: Renderable<string> | undefined
}

export const stepLogin = { username: renderable.optional(), password: anyText.optional() }

/** The same for a poller, on the master. */
export interface PollerLogin {
  readonly username?: string | undefined
  /** Best as a `secret('…')`. Never stands on a command line. */
  readonly password?: string | SecretRef | undefined
}

export const secretOrText = z.custom<string | SecretRef>(
  (value) => (typeof value === 'string' && value !== '') || isSecretRef(value),
  "Give secret('name'), or a text.",
)
export const pollerLogin = {
  username: z.string('Give a text.').regex(/^[^-]/, 'A user does not begin with "-".').optional(),
  password: secretOrText.optional(),
}

/** For `refine` of the options as a whole, where only web servers ask for a password; `addresses` names the options with addresses. */
export function webLogin<Name extends string>(...addresses: readonly Name[]) {
  const isWhole = (options: LoginAt<Name>) =>
    options.username === undefined
      ? options.password === undefined
      : addresses.every((address) => isWeb(options[address]))
  const message = 'Give username and password together, and an address that begins with https:// or http://.'
  const issue = { path: ['username'], message }
  return [isWhole, issue] as const
}

type LoginAt<Name extends string> = {
  readonly [Key in Name | 'username' | 'password']?: Renderable<string> | undefined
}

/** What only the build knows is believed. */
export const isWeb = (address: Renderable<string> | undefined) =>
  typeof address !== 'string' || /^https?:\/\//i.test(address)

export interface Login {
  readonly username?: string
  readonly password?: string
}

export function renderLogin({ render }: StepContext, { username, password }: StepLogin): Login {
  return {
    ...(username !== undefined && { username: render<string>(username) }),
    ...(password !== undefined && { password: render<string>(password) }),
  }
}

/** What a program reads that asks for a password. */
export const passwordLine = (password: string) => `${password}\n`
