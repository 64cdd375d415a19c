// Values put in by hand: the fields of templates/runs/_value_fields.html, read as the types of their ports.

const was = (el) => (el.tagName === "SELECT" ? ([...el.options].find((o) => o.defaultSelected)?.value ?? "") : el.defaultValue)

function read(el) {
  const text = el.value
  if (el.dataset.value === "text") return text
  if (el.dataset.value === "message") return { text }
  if (el.dataset.value === "yesno") return text === "yes"
  if (el.dataset.value === "number") {
    if (el.validity.badInput || !Number.isFinite(Number(text))) throw new Error("This is no number.")
    return Number(text)
  }
  try {
    return JSON.parse(text)
  } catch (problem) {
    throw new Error(`This is not JSON yet: ${problem.message}.`)
  }
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
  first.closest("details")?.setAttribute("open", "")
  first.focus()
  return null
}

// The server's word about one of them. False when there is no such field.
export function refused(form, port, words) {
  const el = form.querySelector(`[data-port="${CSS.escape(port)}"] [data-value]`)
  if (!el) return false
  refuse(el, words)
  el.closest("details")?.setAttribute("open", "")
  el.focus()
  return true
}
