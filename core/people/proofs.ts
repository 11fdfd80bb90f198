/** Whether what is known of a person fits a rule: equal, but for masks, as `*` in a rule `host:` stands for any text. Case does not count, as on IRC. */
export function proves(proof: string, rule: string): boolean {
  if (!rule.startsWith('host:')) return proof.toLowerCase() === rule.toLowerCase()
  const pattern = rule.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${pattern.join('.*')}$`, 'is').test(proof)
}
