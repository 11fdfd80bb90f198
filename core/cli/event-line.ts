import { formatDuration } from 'boltbot/plugin-sdk'
import type { StoredEvent } from '../store/store.ts'
import { oneLine } from './output.ts'

/** An event on one line, in columns that programs can cut: time, event, what it is about, and the rest for people. */
export function eventLine({ name, event }: StoredEvent): string {
  const about = subjectOf({ name, event } as StoredEvent)
  return [new Date(event.at).toISOString(), name, ...about]
    .map((word) => oneLine(word))
    .join('  ')
    .trimEnd()
}

function subjectOf({ name, event }: StoredEvent): readonly string[] {
  switch (name) {
    case 'changeAccepted': {
      const { id, who, revision, branch, comments } = event.change
      return [
        `${id}`,
        `${[branch, revision].filter(Boolean).join(' ')} by ${who}: ${comments.trim().split('\n', 1)[0]}`,
      ]
    }
    case 'sourceFailing':
      return [event.source, `failed ${event.failures} times in a row: ${event.error}`]
    case 'buildsetCreated':
      return [`${event.buildset}`, `${event.builders.join(', ')}: ${event.reason}`]
    case 'requestQueued':
      return [event.builder, `request ${event.request}, ${event.cause}: ${event.reason}`]
    case 'requestCancelled':
      return [event.builder, `request ${event.request} by ${event.who}: ${event.reason}`]
    case 'buildStarted':
      return [`${event.builder}/${event.number}`, `on ${event.slave}: ${event.reason}`]
    case 'stepStarted':
      return [`${event.builder}/${event.number}`, `${event.name}: ${event.text}`]
    case 'stepFinished':
      return [`${event.builder}/${event.number}`, `${event.name}: ${event.result}, ${event.text}`]
    case 'buildFinished': {
      const took = formatDuration(Math.max(0, event.at - event.startedAt))
      return [`${event.builder}/${event.number}`, `${event.result}: ${event.text.join(' ')}, ${took}`]
    }
    case 'buildsetFinished':
      return [`${event.buildset}`, event.result]
    default:
      return [wordsOf(event)]
  }
}

/** `slave=bot-1 reason=…` for events that have no words of their own. */
function wordsOf(event: object): string {
  return Object.entries(event)
    .filter(([key]) => key !== 'eventId' && key !== 'at')
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')
}
