/** What is typed, by name: `up`, `enter`, `escape`, `ctrl-c`, or the character itself. */
export function keysOf(text: string): readonly string[] {
  return [...text.matchAll(PATTERN)].map(([key]) => NAMES[key] ?? key)
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what terminals send
const PATTERN = /\u001b\[[\d;]*[A-Za-z~]|\u001bO[A-Z]|[\s\S]/gu

const NAMES: Readonly<Record<string, string>> = {
  '\u001b[A': 'up',
  '\u001bOA': 'up',
  k: 'up',
  '\u001b[B': 'down',
  '\u001bOB': 'down',
  j: 'down',
  '\r': 'enter',
  '\n': 'enter',
  '\u001b': 'escape',
  '\u007f': 'backspace',
  '\b': 'backspace',
  '\u0003': 'ctrl-c',
}
