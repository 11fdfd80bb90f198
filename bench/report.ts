/** One measured number beside what it is held against. */
export interface Figure {
  readonly name: string
  readonly ours: number
  readonly against: number
  /** Of what was measured in pairs: the median of their ratios. Default: ours by against. */
  readonly ratio?: number
  readonly unit: string
  /** In words, what `against` is. */
  readonly limit: string
  /** What `ours / against` should be; without it the figure is only told. */
  readonly aim?: { readonly atLeast: number } | { readonly atMost: number }
}

/** Prints a figure as one line of JSON, which run.ts reads. */
export function report(figure: Figure): void {
  process.stdout.write(`${JSON.stringify(figure)}\n`)
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]
  if (value === undefined) throw new Error('There is nothing measured to take the quantile of.')
  return value
}

export const ratioOf = ({ ours, against, ratio }: Pick<Figure, 'ours' | 'against' | 'ratio'>) => ratio ?? ours / against

/** A line of the table: name, ours, limit, ratio, aim. */
export function row(figure: Figure): readonly string[] {
  const { name, ours, against, unit, limit, aim } = figure
  const ratio = ratioOf(figure)
  const wanted =
    aim === undefined
      ? ''
      : 'atLeast' in aim
        ? `≥ ${aim.atLeast} ${ratio >= aim.atLeast ? '✓' : '✗'}`
        : `≤ ${aim.atMost} ${ratio <= aim.atMost ? '✓' : '✗'}`
  return [name, `${short(ours)} ${unit}`, `${short(against)} ${unit} (${limit})`, ratio.toFixed(2), wanted]
}

function short(value: number): string {
  if (value !== 0 && Math.abs(value) < 1) return value.toFixed(3)
  return Math.abs(value) < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US')
}
