import { createHash, timingSafeEqual } from 'node:crypto'
import type { Broker } from './broker.ts'
import { PbProblem } from './pb-problem.ts'
import { unauthorized } from './remote-error.ts'
import { Referenceable, RemoteReference, Tuple, type Value } from './values.ts'

export interface LoginDeps {
  /** 16 random bytes, new each time. */
  readonly challenge: () => Uint8Array
  /** `undefined`: no such user, or none who may log in now. */
  readonly password: (user: string) => string | undefined
  /**
   * The user knew the password. `mind` is what the client lets us call, if anything; what is returned is what the client may call.
   * A throw of `RaisedError` is told as it is.
   */
  readonly enter: (user: string, mind: RemoteReference | null) => Promise<Referenceable>
  /** A login that was refused: user unknown, or wrong password. */
  readonly refused: (user: string) => void
  /** True when no more tries are taken, from this address for example. */
  readonly tooMany: () => boolean
  readonly release: (object: Referenceable) => void
}

/** What a server shows to clients before they have logged in. */
export function createLoginRoot(deps: LoginDeps): Referenceable {
  return new Referenceable({
    login(args) {
      const user = userOf(args[0])
      const challenge = deps.challenge()
      const challenger = new Referenceable({
        async respond([response, mind]) {
          deps.release(challenger) // one try each
          const password = deps.tooMany() ? undefined : deps.password(user)
          const right = isResponse(response, password ?? '', challenge) && password !== undefined
          if (!right) {
            deps.refused(user)
            throw unauthorized()
          }
          return deps.enter(user, mind instanceof RemoteReference ? mind : null)
        },
      })
      return new Tuple([challenge, challenger])
    },
    loginAnonymous() {
      throw unauthorized('Anonymous users may not log in')
    },
  })
}

/**
 * Logs in at a server. Gives what it lets us call.
 * @throws RemoteError when it refuses.
 */
export async function logIn(
  broker: Broker,
  user: string,
  password: string,
  mind: Referenceable | null = null,
): Promise<RemoteReference> {
  return answerChallenge(broker, 'login', user, (response) => [response, mind], password)
}

/**
 * The same at a server of old Twisted (`oldcred`), which has services, and people in each.
 * @throws RemoteError when it refuses.
 */
export async function logInOld(
  broker: Broker,
  { user, password, service, mind }: { user: string; password: string; service: string; mind: Referenceable | null },
): Promise<RemoteReference> {
  const identity = await answerChallenge(broker, 'username', user, (response) => [response], password)
  const given = await identity.call('attach', [Buffer.from(service), Buffer.from(user), mind])
  if (!(given instanceof RemoteReference)) throw new PbProblem('The other end gives nothing to call.')
  return given
}

async function answerChallenge(
  broker: Broker,
  method: string,
  user: string,
  argumentsOf: (response: Uint8Array) => readonly Value[],
  password: string,
): Promise<RemoteReference> {
  await broker.opened
  const answer = await broker.root.call(method, [Buffer.from(user)])
  const [challenge, challenger] = answer instanceof Tuple || Array.isArray(answer) ? itemsOf(answer) : []
  if (!(challenge instanceof Uint8Array) || !(challenger instanceof RemoteReference))
    throw new PbProblem('The other end gives no challenge.')
  const given = challenger.call('respond', argumentsOf(responseTo(challenge, password)))
  broker.drop(challenger)
  const found = await given
  if (!(found instanceof RemoteReference)) throw new PbProblem('The other end gives nothing to call.')
  return found
}

const itemsOf = (value: Tuple | Value[]) => (value instanceof Tuple ? value.items : value)

/** MD5 of the MD5 of the password and the challenge: what the real programs do. */
export function responseTo(challenge: Uint8Array, password: string): Uint8Array {
  return md5(Buffer.concat([md5(Buffer.from(password)), challenge]))
}

function isResponse(response: Value | undefined, password: string, challenge: Uint8Array): boolean {
  const right = responseTo(challenge, password)
  return response instanceof Uint8Array && response.length === right.length && timingSafeEqual(response, right)
}

const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest()

function userOf(value: Value | undefined): string {
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  throw unauthorized()
}
