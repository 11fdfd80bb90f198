import { CiError } from './errors.ts'
import type { Json } from './json.ts'
import type { PropertyMap } from './model.ts'
import { withOrigin } from './origin.ts'

/** Text with build properties put in when the command runs. Made by {@link interpolate} or {@link withProperties}. */
export interface Interpolation {
  readonly kind: 'interpolation'
  /** Literal pieces, one more than `names`. */
  readonly pieces: readonly string[]
  readonly names: readonly string[]
}

/** A reference to a secret: the value is fetched when it is needed and never stored or shown. Made by {@link secret}. */
export interface SecretRef {
  readonly kind: 'secret'
  readonly name: string
}

/** A value that may hold interpolations and secrets anywhere inside; it is rendered when the step starts. */
export type Renderable<T> = T extends string
  ? T | Interpolation | SecretRef
  : T extends readonly (infer Item)[]
    ? readonly Renderable<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: Renderable<T[Key]> }
      : T

/**
 * Text with properties: a template literal whose holes are property names. A property that is not set, or is null, gives ''.
 * @example shellCommand({ command: ['tar', 'czf', interpolate`hello-${'got_revision'}.tgz`, '.'] })
 */
export function interpolate(pieces: TemplateStringsArray, ...names: readonly string[]): Interpolation {
  return Object.freeze({ kind: 'interpolation', pieces: Object.freeze([...pieces]), names: Object.freeze([...names]) })
}

/**
 * The classic form: `%s` takes the named properties in order, or `%(name)s` names them inside; not both. `%%` is a percent
 * sign. A property that is not set, or is null, gives ''.
 * @throws CiError `BOLT_RENDER_FORMAT` when the forms are mixed, a conversion is unknown, or the count of names is off.
 * @example
 * withProperties('build-%(revision)s.tar.gz')
 * withProperties('build-%s.tar.gz', 'revision')
 */
export function withProperties(format: string, ...names: readonly string[]): Interpolation {
  const pieces: string[] = ['']
  const found: string[] = []
  const positional = [...names]
  let rest = format
  for (;;) {
    const at = rest.indexOf('%')
    pieces[pieces.length - 1] += at === -1 ? rest : rest.slice(0, at)
    if (at === -1) break
    const mark = /^%(?:%|(?:\(([^()]*)\))?[sd])/.exec(rest.slice(at))
    if (!mark) throw badFormat(format, 'has a "%" that is neither "%s", "%(name)s" nor "%%"')
    rest = rest.slice(at + mark[0].length)
    if (mark[0] === '%%') {
      pieces[pieces.length - 1] += '%'
      continue
    }
    if (mark[1] !== undefined && names.length > 0) throw badFormat(format, 'mixes "%(name)s" with names given after it')
    const name = mark[1] ?? positional.shift()
    if (name === undefined) throw badFormat(format, 'has more "%s" than names after it')
    found.push(name)
    pieces.push('')
  }
  if (positional.length > 0) throw badFormat(format, `has fewer "%s" than names: "${positional[0]}" is left over`)
  return Object.freeze({ kind: 'interpolation', pieces: Object.freeze(pieces), names: Object.freeze(found) })
}

/**
 * Names a secret of the secrets directory or the environment. @example slave({ name: 'bot', password: secret('bot') })
 */
export function secret(name: string): SecretRef {
  return withOrigin({ kind: 'secret' as const, name }, secret)
}

/**
 * True for what {@link secret} made.
 * @example const password = z.custom<SecretRef>(isSecretRef, "Give secret('name').")
 */
export function isSecretRef(value: unknown): value is SecretRef {
  return typeof value === 'object' && value !== null && (value as SecretRef).kind === 'secret' && 'name' in value
}

/**
 * The secrets that a value names, in it or anywhere inside, each once. Class instances are the business of their makers.
 * @example for (const { name } of secretsIn(options)) names.push(name)
 */
export function secretsIn(value: unknown): readonly SecretRef[] {
  const found = new Map<string, SecretRef>()
  const seen = new Set<object>()
  const look = (inside: unknown): void => {
    if (typeof inside !== 'object' || inside === null || seen.has(inside)) return
    seen.add(inside)
    const proto = Object.getPrototypeOf(inside)
    if (isSecretRef(inside)) found.set(inside.name, inside)
    else if (Array.isArray(inside)) inside.forEach(look)
    else if (proto === Object.prototype || proto === null) Object.values(inside).forEach(look)
  }
  look(value)
  return [...found.values()]
}

/**
 * `value` with every interpolation and secret inside replaced. Other values are returned as they are.
 * @param secretOf gives a secret's value.
 * @throws what `secretOf` throws.
 * @example const text = render(options.title, properties, secretOf)
 */
export function render<T>(value: Renderable<T>, properties: PropertyMap, secretOf: (ref: SecretRef) => string): T {
  return renderAny(value, properties, secretOf) as T // the mapped type above is what renderAny undoes
}

function renderAny(value: unknown, properties: PropertyMap, secretOf: (ref: SecretRef) => string): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => renderAny(item, properties, secretOf))
  if (isSecretRef(value)) return secretOf(value)
  if ((value as Interpolation).kind === 'interpolation' && 'pieces' in value) {
    const { pieces, names } = value as Interpolation
    return pieces.map((piece, i) => (i === 0 ? piece : textOf(properties[names[i - 1]!]?.value) + piece)).join('')
  }
  const proto = Object.getPrototypeOf(value)
  if (proto !== Object.prototype && proto !== null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, renderAny(item, properties, secretOf)]))
}

function textOf(value: Json | undefined): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const badFormat = (format: string, what: string) =>
  new CiError({
    code: 'BOLT_RENDER_FORMAT',
    message: `The format "${format}" ${what}.`,
    details: { format },
    hint: 'Write withProperties("a-%s", "revision") or withProperties("a-%(revision)s"), or use interpolate.',
  })
