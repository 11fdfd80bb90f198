import type { ParsedMail } from 'mailparser'

/** Groups mails as Zawinski's algorithm does: by References and In-Reply-To, parents that nobody has included. */
export function threadsOf<Mail extends ParsedMail>(mails: readonly Mail[]): readonly (readonly Mail[])[] {
  const parent = new Map<string, string>()
  const rootOf = (id: string): string => {
    const up = parent.get(id)
    return up === undefined ? id : rootOf(up)
  }
  for (const { messageId, references, inReplyTo } of mails) {
    const chain = [references ?? [], inReplyTo ?? []].flat().filter((id, i, all) => all.indexOf(id) === i)
    for (const [i, id] of [...chain, messageId!].entries()) {
      const before = chain[i - 1]
      if (before !== undefined && rootOf(before) !== id && !parent.has(id)) parent.set(id, before)
    }
  }
  return [...Map.groupBy(mails, ({ messageId }) => rootOf(messageId!)).values()]
}

/** As mail programs compare subjects: without what stands in front in brackets, and without `Re:`. */
export const baseOf = ({ subject = '' }: ParsedMail) => subject.replace(/^(\[[^\]]*\]\s*|re:\s*)+/i, '')

export const subjectsOf = (mails: readonly ParsedMail[]) => mails.map(({ subject }) => subject)
