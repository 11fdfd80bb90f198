import { type Host, repositoryKey } from 'boltbot/plugin-sdk'
import type { ForgeRepository } from './forges/forge.ts'

/** The repository as its poller names it, so that changes of both are the same; else as the forge does. */
export async function nameOf(
  { query }: Pick<Host, 'query'>,
  { fullName, addresses }: ForgeRepository,
): Promise<string> {
  const polled = (await query.pollers()).flatMap(({ repository }) => repository ?? [])
  // Forges do not tell large letters from small ones.
  const key = (address: string) => repositoryKey(address).toLowerCase()
  const keys = addresses.map(key)
  const exact = polled.find((one) => keys.includes(key(one)))
  if (exact !== undefined) return exact
  if (addresses.length > 0) return addresses[0]!
  const ending = polled.filter((one) => key(one).endsWith(`/${fullName.toLowerCase()}`))
  return new Set(ending.map(key)).size === 1 ? ending[0]! : fullName
}

/** Whether a poller of the repository has looked since then, and found it in order. */
export async function hasLookedSince(
  { query }: Pick<Host, 'query'>,
  repository: string,
  time: number,
): Promise<boolean> {
  return (await pollersOf(query, repository)).some(({ lastGood }) => lastGood !== null && lastGood >= time)
}

/** Whether all pollers of the repository fail at present. */
export async function allFail({ query }: Pick<Host, 'query'>, repository: string): Promise<boolean> {
  return (await pollersOf(query, repository)).every(({ failures }) => failures > 0)
}

async function pollersOf(query: Host['query'], repository: string) {
  const key = repositoryKey(repository)
  return (await query.pollers()).filter((one) => one.repository !== null && repositoryKey(one.repository) === key)
}
