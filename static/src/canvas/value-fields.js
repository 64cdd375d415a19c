// Values put in by hand: the fields of templates/runs/_value_fields.html, read as the types of their ports.

const was = (el) => (el.tagName === "SELECT" ? ([...el.options].find((o) => o.defaultSelected)?.value ?? "") : el.defaultValue)

function read(el) {
  const text = el.value
  if (el.dataset.value === "switch") return el.checked
  if (el.dataset.value === "text") return text
  if (el.dataset.value === "message") return { text }
  if (el.dataset.value === "yesno") return text === "yes"
  if (el.dataset.value === "number") {
    if (el.validity.badInput || !Number.isFinite(Number(text))) throw new Error("This is no number.")
    return Number(text)
  }
  return json(text, el.dataset.shape)
}

function json(text, shape = "") {
  let value
  try {
    value = JSON.parse(text)
  } catch (problem) {
    throw new Error(`This is not JSON yet: ${problem.message}.`)
  }
  if (shape === "list" && !Array.isArray(value)) throw new Error('This is no list. Write it like ["a", "b"].')
  if (shape === "object" && (value === null || typeof value !== "object" || Array.isArray(value))) throw new Error('This is no object. Write it like {"name": "value"}.')
  return value
}

// Of a form that asks for everything: the values by name; null when one can't be read or is missing (said at its field).
export function given(form) {
  const values = {}
  let first = null
  for (const box of form.querySelectorAll("[data-port]")) {
    const el = box.querySelector("[data-value], [data-source]")
    refuse(el, "")
    try {
      const value = el.value.trim() || el.validity.badInput || el.dataset.value === "switch" ? read(el) : undefined
      if (value === undefined && box.dataset.required !== undefined) throw new Error("Fill this in.")
      if (value !== undefined) values[box.dataset.port] = value
    } catch (problem) {
      refuse(el, problem.message)
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

export function refuse(el, words) {
  const fault = el.closest(".value-edit")?.querySelector(".field__error")
  if (words) {
    el.setAttribute("aria-invalid", "true")
    el.setAttribute("aria-describedby", fault?.id ?? "")
  } else el.removeAttribute("aria-invalid")
  if (!fault) return
  fault.hidden = !words
  fault.querySelector(".field__fault").textContent = words
}

// What was changed, by port; null when something can't be read yet (said at its field). An emptied field says nothing.
export function changed(form) {
  const edits = {}
  let first = null
  for (const el of form.querySelectorAll("[data-value]")) {
    refuse(el, "")
    if (!el.validity.badInput && (el.value === was(el) || !el.value.trim())) continue
    try {
      edits[el.closest("[data-port]").dataset.port] = read(el)
    } catch (problem) {
      refuse(el, problem.message)
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
  refuse(el, words)
  seen(el)
  return true
}
