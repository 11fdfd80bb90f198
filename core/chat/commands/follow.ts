import { CHAT_NEWS, type ChatNews } from 'boltbot/plugin-sdk'
import type { Call, ChatTools, Command } from '../command.ts'
import { runningLine } from '../describe.ts'
import { nobodyStays, nothingRuns, unknownName, unknownOption } from '../errors.ts'
import { type Finder, newsNamed } from '../find.ts'
import { redStreaks } from '../red-streak.ts'

const DEFAULT_NEWS: readonly ChatNews[] = ['problem', 'recovery', 'exception']

/** What people want to be told of later. */
export function followCommands(
  { followers, query, acks, clock, tellAll, guard }: ChatTools,
  find: Finder,
): readonly Command[] {
  /** What others in a channel are told is not everybody's to say. */
  async function moderates({ place, asker }: Call, command: string): Promise<void> {
    if (!place.personal) await guard({ action: 'moderate', ...asker, reason: `${command} in ${place.id}` })
  }

  async function notify(call: Call): Promise<string> {
    const { words, place } = call
    const [act = 'list', ...events] = words.map((word) => word.toLowerCase())
    const wanted = events.map((word) => newsNamed(word, CHAT_NEWS))
    const now = [...place.news]
    if (act === 'on') {
      if (!place.stays) throw nobodyStays('notify on')
      await moderates(call, 'notify on')
      await place.setNews([...new Set([...now, ...(wanted.length === 0 ? DEFAULT_NEWS : wanted)])])
    } else if (act === 'off') {
      await moderates(call, 'notify off')
      await place.setNews(wanted.length === 0 ? [] : now.filter((one) => !wanted.includes(one)))
    } else if (act !== 'list') throw unknownName('choice', act, ['on', 'off', 'list'])
    const told = [...place.news]
    if (told.length === 0) return `Nothing is told here. "notify on EVENT …" knows: ${CHAT_NEWS.join(', ')}.`
    return `Told here: ${told.join(', ')}.${place.muted ? ' But I am muted: "unmute" ends that.' : ''}`
  }

  async function watch(call: Call): Promise<string> {
    const { name } = await find.builder(call.words[0], 'watch BUILDER')
    const build = await find.running(name)
    if (!call.place.stays) return `${runningLine(build, clock.now())}.`
    const [followed] = await followers.follow(call, build.requests.slice(0, 1))
    if (followed?.state !== 'claimed') throw nothingRuns(name) // it ended a moment ago
    return `I watch it: ${runningLine(build, clock.now())}.`
  }

  async function ack({ words, speaker, asker }: Call): Promise<string> {
    const builder = await find.builder(words[0], 'ack BUILDER [TEXT]')
    if ((await redStreaks(query, builder.name)).length === 0) return `${builder.name} is not broken.`
    const [, first] = words
    if (first?.startsWith('--')) throw unknownOption(first, [], `To end an ack say "unack ${builder.name}".`)
    const text = words.slice(1).join(' ')
    await guard({ action: 'ack', ...asker, builder: builder.name, reason: text })
    await acks.set(builder.name, { who: speaker.name, at: clock.now(), text })
    tellAll(`${speaker.name} is on ${builder.name}${text === '' ? '' : `: ${text}`}`)
    return 'Thank you. I keep quiet about it until it is green, or breaks in another way.'
  }

  async function unack({ words, speaker, asker }: Call): Promise<string> {
    const { name } = await find.builder(words[0], 'unack BUILDER')
    const before = await acks.of(name)
    if (before === undefined) return `Nobody looks after ${name}.`
    await guard({ action: 'ack', ...asker, builder: name, reason: `${before.who} is on it no more` })
    await acks.set(name, null)
    tellAll(`${speaker.name} says that nobody is on ${name} any more`)
    return `I speak of ${name} again.`
  }

  return [
    {
      name: 'watch',
      usage: 'BUILDER',
      summary: 'tells you when the running build has ended',
      example: 'watch full',
      run: watch,
    },
    {
      name: 'notify',
      usage: 'on|off|list [EVENT …]',
      summary: `what is told here by itself: ${CHAT_NEWS.join(', ')}`,
      example: 'notify on failure recovery',
      run: notify,
    },
    {
      name: 'ack',
      usage: 'BUILDER [TEXT]',
      summary: 'says to all that you look after a red builder; more failures of the same kind are not told',
      example: 'ack full the compiler is being replaced',
      run: ack,
    },
    {
      name: 'unack',
      usage: 'BUILDER',
      summary: 'says to all that nobody looks after a red builder; its failures are told again',
      example: 'unack full',
      run: unack,
    },
    {
      name: 'mute',
      usage: '',
      summary: 'no news here until "unmute"; commands are still answered',
      example: 'mute',
      async run(call) {
        if (!call.place.stays) throw nobodyStays('mute')
        await moderates(call, 'mute')
        await call.place.setMuted(true)
        return 'I keep quiet here. "unmute" ends that.'
      },
    },
    {
      name: 'unmute',
      usage: '',
      summary: 'news are told here again',
      example: 'unmute',
      async run(call) {
        if (!call.place.stays) throw nobodyStays('unmute')
        await moderates(call, 'unmute')
        await call.place.setMuted(false)
        return 'I tell news here again.'
      },
    },
  ]
}
