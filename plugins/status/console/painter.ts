import type { Result } from 'boltbot/plugin-sdk'

/** Colours, or none. */
export interface Painter {
  result(result: Result, text: string): string
  /** Of little interest. */
  faint(text: string): string
  strong(text: string): string
}

const RESULT_CODES: Readonly<Record<Result, string>> = {
  success: '32',
  skipped: '2',
  warnings: '33',
  failure: '31',
  exception: '35',
  retry: '36',
  cancelled: '33',
}

export function createPainter(inColour: boolean): Painter {
  const paint = (code: string, text: string) => (inColour ? `\x1b[${code}m${text}\x1b[0m` : text)
  return {
    result: (result, text) => paint(RESULT_CODES[result], text),
    faint: (text) => paint('2', text),
    strong: (text) => paint('1', text),
  }
}
