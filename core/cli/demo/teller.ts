import { createReadStream } from 'node:fs'
import { styleText } from 'node:util'
import { simpleParser } from 'mailparser'
import { oneLine } from '../output.ts'

type Style = Parameters<typeof styleText>[0]

/** What the demo itself says between the lines of its master. In colour on a terminal. */
export interface Teller {
  chapter(text: string): void
  /** Pairs of a word and what it is, aligned. */
  list(rows: readonly (readonly [word: string, text: string])[]): void
  say(text: string): void
  mail(file: string): Promise<void>
}

export function createTeller(out: NodeJS.WriteStream): Teller {
  const paint = (style: Style, text: string) => styleText(style, text, { stream: out })
  const print = (text: string) => void out.write(`${text}\n`)
  let chapters = 0
  return {
    chapter: (text) => print(`\n${paint(['bold', 'cyan'], `${++chapters}. ${text}`)}`),
    say: print,
    list(rows) {
      const width = Math.max(...rows.map(([word]) => word.length))
      for (const [word, text] of rows) print(`   ${paint('gray', word.padEnd(width))}  ${text}`)
    },
    async mail(file) {
      const mail = await simpleParser(createReadStream(file))
      const to = [mail.to ?? []].flat().map(({ text }) => text)
      const bar = paint('gray', '   │')
      const header = (name: string, text: string) => print(`${bar} ${paint('gray', `${name}:`)} ${oneLine(text)}`)
      header('From', mail.from?.text ?? '')
      header('To', to.join(', '))
      header('Subject', mail.subject ?? '')
      print(bar)
      for (const line of (mail.text ?? '').trimEnd().split('\n')) print(`${bar} ${cleanLine(line)}`.trimEnd())
    },
  }
}

/** Indented as it was, but without what moves a cursor. */
const cleanLine = (line: string) => `${/^ */.exec(line)?.[0] ?? ''}${oneLine(line)}`
