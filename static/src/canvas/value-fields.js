// Values put in by hand: the fields of templates/runs/_value_fields.html, read as the types of their ports.

import { jsonFault, sayFault } from "../elements/json-fault.js"
import { t } from "../words.js"

const was = (el) => (el.tagName === "SELECT" ? ([...el.options].find((o) => o.defaultSelected)?.value ?? "") : el.defaultValue)

function read(el) {
  const text = el.value
  if (el.dataset.value === "switch") return el.checked
  if (el.dataset.value === "text") return text
  if (el.dataset.value === "message") return { text }
  if (el.dataset.value === "yesno") return text === "yes"
  if (el.dataset.value === "number") {
    if (el.validity.badInput || !Number.isFinite(Number(text))) throw new Error(t`This is no number.`)
    return Number(text)
  }
  const words = jsonFault(text, el.dataset.shape)
  if (words) throw new Error(words)
  return JSON.parse(text)
}

// Of a form that asks for everything: the values by name; null when one can't be read or is missing (said at its field).
export function given(form) {
  const values = {}
  let first = null
  for (const box of form.querySelectorAll("[data-port]")) {
    const el = box.querySelector("[data-value], [data-source]")
    sayFault(el, "")
    try {
      const value = el.value.trim() || el.validity.badInput || el.dataset.value === "switch" ? read(el) : undefined
      if (value === undefined && box.dataset.required !== undefined) throw new Error(t`Fill this in.`)
      if (value !== undefined) values[box.dataset.port] = value
    } catch (problem) {
      sayFault(el, problem.message)
      first ??= el
    }
  }
  if (!first) return values
  seen(first)
  return null
}

// The control itself, or where a file is put in.
function seen(el) {
  el.closest("details")?.setAttribute("open", "")
  const control = el.hidden ? el.closest("[data-port]").querySelector("input[type=file]") : el
  control.focus()
}

// What was changed, by port; null when something can't be read yet (said at its field). An emptied field says nothing.
export function changed(form) {
  const edits = {}
  let first = null
  for (const el of form.querySelectorAll("[data-value]")) {
    sayFault(el, "")
    if (!el.validity.badInput && (el.value === was(el) || !el.value.trim())) continue
    try {
      edits[el.closest("[data-port]").dataset.port] = read(el)
    } catch (problem) {
      sayFault(el, problem.message)
      first ??= el
    }
  }
  if (!first) return edits
  seen(first)
  return null
}

// The server's word about one of them. False when there is no such field.
export function refused(form, port, words) {
  const el = form.querySelector(`[data-port="${CSS.escape(port)}"] :is([data-value], [data-source])`)
  if (!el) return false
  sayFault(el, words)
  seen(el)
  return true
}
