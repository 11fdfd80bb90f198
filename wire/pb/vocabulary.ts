/** The words of dialect `pb`, by number. A sender puts the number wherever a string is exactly the word, also in user data. */
const WORDS: readonly string[] = [
  '',
  ...['None', 'class', 'dereference', 'reference', 'dictionary', 'function', 'instance', 'list'],
  ...['module', 'persistent', 'tuple', 'unpersistable', 'copy', 'cache', 'cached', 'remote'],
  ...['local', 'lcache', 'version', 'login', 'password', 'challenge', 'logged_in', 'not_logged_in'],
  ...['cachemessage', 'message', 'answer', 'error', 'decref', 'decache', 'uncache'],
]

const BYTES: readonly Buffer[] = WORDS.map((word) => Buffer.from(word, 'latin1'))
const NUMBERS: ReadonlyMap<string, number> = new Map(WORDS.map((word, number) => [word, number] as const).slice(1))
const LONGEST = Math.max(...WORDS.map((word) => word.length))

/** The bytes of a word, shared: never write to them. `undefined` when there is no such number. */
export const wordBytes = (number: number): Buffer | undefined => (number > 0 ? BYTES[number] : undefined)

/** The number of a text that is a word. */
export const wordNumber = (text: string): number | undefined => (text.length > LONGEST ? undefined : NUMBERS.get(text))

/** The number of bytes that are a word. */
export function wordNumberOfBytes(bytes: Uint8Array): number | undefined {
  if (bytes.length > LONGEST || bytes.length < 4) return undefined
  return NUMBERS.get(String.fromCharCode(...bytes))
}
