import { messageOf } from 'boltbot/plugin-sdk'
import { SaxesParser } from 'saxes'
import { outputUnreadable } from './errors.ts'

/** An element of an XML text. */
export interface Element {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly Element[]
  /** Its own text, without that of its children. */
  readonly text: string
}

/** @param action what printed it, for the error. @throws CiError `BOLT_VC_UNREADABLE`. */
export function parseXml(xml: string, action: string): Element {
  const top: Mutable = { name: '', attributes: {}, children: [], text: '' }
  const open: Mutable[] = [top]
  const parser = new SaxesParser()
  parser.on('opentag', ({ name, attributes }) => {
    const element: Mutable = { name, attributes, children: [], text: '' }
    open.at(-1)!.children.push(element)
    open.push(element)
  })
  parser.on('closetag', () => void open.pop())
  const addText = (text: string) => {
    open.at(-1)!.text += text
  }
  parser.on('text', addText)
  parser.on('cdata', addText)
  let problem: unknown
  parser.on('error', (error) => {
    problem ??= error
  })
  try {
    // Control characters, which people do type into messages and XML does not allow.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is left out
    parser.write(xml.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')).close()
  } catch (error) {
    problem ??= error
  }
  const root = top.children[0]
  if (problem !== undefined || root === undefined) throw outputUnreadable(action, messageOf(problem ?? 'it is empty'))
  return root
}

export const childrenOf = ({ children }: Element, name: string) => children.filter((child) => child.name === name)

/** The text of the first child of a name; `''` without one. */
export const textOf = ({ children }: Element, name: string) => children.find((child) => child.name === name)?.text ?? ''

interface Mutable {
  name: string
  attributes: Record<string, string>
  children: Mutable[]
  text: string
}
