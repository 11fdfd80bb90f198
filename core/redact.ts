/** Hides secrets in whatever is printed or stored. Values are known by where they came from, not guessed by their look. */
export interface Redactor {
  /** From now on `value` is hidden, also as JSON and URLs write it. Values under 4 characters are not: they would blot out half of every log. */
  add(value: string): void
  /** `text` with `***` for every secret. */
  text(text: string): string
  /**
   * For bytes that come in pieces: a secret is hidden also where it crosses a border. As many bytes come out as went in (a `*`
   * each), so offsets stay what they were; the start of a possible secret is held back until the next piece or `end`.
   */
  stream(): RedactedStream
}

export interface RedactedStream {
  push(data: Uint8Array): Uint8Array
  /** What was held back: it was no secret after all. */
  end(): Uint8Array
}

const SHORTEST = 4

export function createRedactor(): Redactor {
  let needles: readonly Needle[] = []

  return {
    add(value) {
      const forms = formsOf(value).filter((form) => !needles.some((needle) => needle.text === form))
      const fresh = forms.map((form) => ({ text: form, bytes: Buffer.from(form) }))
      // Longest first: a secret that contains another one is hidden whole.
      needles = [...needles, ...fresh].sort((a, b) => b.text.length - a.text.length)
    },
    text: (text) => needles.reduce((rest, needle) => rest.replaceAll(needle.text, '***'), text),
    stream() {
      let held = Buffer.alloc(0)
      return {
        push(data) {
          if (needles.length === 0 && held.length === 0) return data
          const all = Buffer.concat([held, data])
          const keep = openLength(all, needles) // asked first: what is held back may become a longer secret
          mask(all, needles, all.length - keep)
          held = all.subarray(all.length - keep)
          return all.subarray(0, all.length - keep)
        },
        end() {
          const rest = held
          mask(rest, needles, rest.length)
          held = Buffer.alloc(0)
          return rest
        },
      }
    },
  }
}

interface Needle {
  readonly text: string
  readonly bytes: Buffer
}

/** A secret as programs print it: raw, its longer lines, in JSON, in a URL, in base64. */
function formsOf(value: string): readonly string[] {
  const lines = value.split(/\r?\n/).filter((line) => line.length >= 2 * SHORTEST)
  const json = JSON.stringify(value).slice(1, -1)
  const all = [value, value.trim(), ...lines, json, encodeForUrl(value), Buffer.from(value).toString('base64')]
  return [...new Set(all)].filter((form) => form.length >= SHORTEST)
}

function encodeForUrl(value: string): string {
  return encodeURIComponent(value.toWellFormed())
}

/** Overwrites every needle that begins before `limit`, in place. */
function mask(data: Buffer, needles: readonly Needle[], limit: number): void {
  for (const { bytes } of needles) {
    for (let at = data.indexOf(bytes); at !== -1 && at < limit; at = data.indexOf(bytes, at + bytes.length))
      data.fill('*', at, at + bytes.length)
  }
}

/** How many bytes at the end could be the beginning of a needle. */
function openLength(data: Buffer, needles: readonly Needle[]): number {
  let longest = 0
  for (const { bytes } of needles) {
    for (let length = Math.min(bytes.length - 1, data.length); length > longest; length--) {
      if (data.subarray(data.length - length).equals(bytes.subarray(0, length))) longest = length
    }
  }
  return longest
}
