import type { FormField, FormValues, Json } from 'boltbot/plugin-sdk'
import { type Html, html } from '../html.ts'

/** The fields of a scheduler's form, as a page asks for them; what is fixed is not shown. */
export function formFields(fields: readonly FormField[], who: string, prefix = PREFIX): Html {
  return html`${fields.filter(({ type }) => type !== 'fixed').map((field) => fieldHtml(field, who, prefix + field.name))}`
}

/** What was filled in, by the names of the fields; what they mean is the master's to check. */
export function formValues(fields: readonly FormField[], form: URLSearchParams, prefix = PREFIX): FormValues {
  const values: Record<string, Json> = {}
  for (const field of fields) {
    const name = prefix + field.name
    if (field.type === 'nested') values[field.name] = formValues(field.fields, form, `${name}.`)
    else if (field.type === 'bool') values[field.name] = form.has(name)
    else if (field.type === 'choice' && field.multiple) values[field.name] = chosen(form, name)
    else if (field.type === 'choice') values[field.name] = form.get(`${name}${OTHER}`)?.trim() || (form.get(name) ?? '')
    else if (field.type !== 'fixed') values[field.name] = form.get(name) ?? ''
  }
  return values
}

/** So that a field may have any name beside the form's own. */
const PREFIX = 'field.'
const OTHER = '!other'

const chosen = (form: URLSearchParams, name: string) => {
  const others = (form.get(`${name}${OTHER}`) ?? '').split(',').map((text) => text.trim())
  return [...form.getAll(name), ...others.filter((text) => text !== '')]
}

function fieldHtml(field: FormField, who: string, name: string): Html {
  const label = field.label ?? field.name
  const help = field.help !== undefined && html` <span class="help">${field.help}</span>`
  const required = field.required === true && html` required`
  switch (field.type) {
    case 'nested':
      return html`<fieldset><legend>${label}${help}</legend>${formFields(field.fields, who, `${name}.`)}</fieldset>`
    case 'bool':
      return html`<label class="check"><input type="checkbox" name="${name}"${field.default === true && html` checked`}> ${label}${help}</label>`
    case 'text':
      return html`<label>${label}${help} <textarea name="${name}" rows="4"${required}>${field.default ?? ''}</textarea></label>`
    case 'int':
      return html`<label>${label}${help} <input type="number" step="1" name="${name}" value="${field.default ?? ''}"${field.min !== undefined && html` min="${field.min}"`}${field.max !== undefined && html` max="${field.max}"`}${required}></label>`
    case 'choice':
      return choice(field, name, html`${label}${help}`)
    case 'fixed':
      return html``
    default:
      return html`<label>${label}${help} <input name="${name}" value="${field.default ?? (field.type === 'user' ? who : '')}" spellcheck="false"${required}></label>`
  }
}

function choice(field: Extract<FormField, { type: 'choice' }>, name: string, label: Html): Html {
  const preset = [field.default ?? []].flat()
  const options = field.choices.map((text) => html`<option${preset.includes(text) && html` selected`}>${text}</option>`)
  const empty =
    (field.open || field.required) && !field.multiple && preset.length === 0 && html`<option value=""></option>`
  const other =
    field.open &&
    html` <input name="${name}${OTHER}" aria-label="another" placeholder="another" value="${preset.filter((text) => !field.choices.includes(text)).join(', ')}">`
  return html`<label>${label} <select name="${name}"${field.multiple && html` multiple size="${Math.min(6, field.choices.length)}"`}>${empty}${options}</select></label>${other}`
}
