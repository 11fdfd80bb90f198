import type { Stream } from '../../wire/agent/messages.ts'
import type { Packed } from '../../wire/msgpack/envelope.ts'

/** Turns bytes as they come into whole lines with the times they came at, as a Buildbot master takes them. */
export interface LineOutput {
  /** The pair of an update, or `undefined` while no line is whole. */
  add(stream: Stream, data: Uint8Array): Packed | undefined
  /** What is left of each stream, with the line end it lacks. */
  rest(): readonly Packed[]
}

export function createLineOutput(seconds: () => number): LineOutput {
  const decoders = new Map<Stream, TextDecoder>()
  const partial = new Map<Stream, string>()

  function pair(stream: Stream, text: string): Packed {
    const offsets: number[] = []
    let characters = 0
    for (const character of text) {
      // Places are counted in characters of Python, which are whole ones.
      if (character === '\n') offsets.push(characters)
      characters++
    }
    return [stream, [text, offsets, offsets.map(seconds)]]
  }

  return {
    add(stream, data) {
      const decoder = decoders.get(stream) ?? new TextDecoder()
      decoders.set(stream, decoder)
      const text = (partial.get(stream) ?? '') + decoder.decode(data, { stream: true })
      const cut = text.lastIndexOf('\n') + 1
      partial.set(stream, text.slice(cut))
      return cut === 0 ? undefined : pair(stream, text.slice(0, cut))
    },
    rest: () =>
      [...partial].flatMap(([stream, text]) => {
        const all = text + (decoders.get(stream)?.decode() ?? '')
        return all === '' ? [] : [pair(stream, `${all}\n`)]
      }),
  }
}
