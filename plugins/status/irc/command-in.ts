/**
 * What somebody asks of the bot: behind `nick:` or `nick,`, in private also without. `undefined`: it is for somebody else.
 * @example commandIn('hellobot, status', ['hellobot'], false) // 'status'
 */
export function commandIn(said: string, nicks: readonly string[], isPrivate: boolean): string | undefined {
  const text = unpainted(said)
  const [, nick, command] = /^\s*@?([^\s:,]+)\s*[:,]\s*(.*)$/s.exec(text) ?? []
  const isMe = nicks.some((one) => one.toLowerCase() === nick?.toLowerCase())
  if (isMe) return command ?? ''
  return isPrivate ? text : undefined
}

/** Without the colours, bold and the like that programs of people send. */
function unpainted(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken away
  return text.replace(/\u0003(\d{1,2}(,\d{1,2})?)?|\u0004([0-9a-f]{6})?|[\u0000-\u001f]/gi, '')
}
