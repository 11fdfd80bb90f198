/** Results in the colours of IRC: green, yellow, red. Text stays readable where colours are stripped. */
export function paint(text: string): string {
  return text.replace(
    /\b(success|warnings|failure|exception|cancelled)\b/g,
    (word) => `\u0003${COLORS[word] ?? '14'}${word}\u0003`,
  )
}

const COLORS: Readonly<Record<string, string>> = {
  success: '03',
  warnings: '07',
  failure: '04',
  exception: '06',
  cancelled: '14',
}
