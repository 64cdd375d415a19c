// What the fields of a settings form hold, as the document wants it; their faults; fields that come and go.
import { t } from "../words.js"

// undefined = can't be read yet (said at the field).
export function valueOf(field) {
  switch (field.dataset.control) {
    case "lines":
      return field.querySelector("textarea").value.split("\n").map((line) => line.trim()).filter(Boolean)
    case "pairs":
      return Object.fromEntries(
        [...field.querySelectorAll("[data-row]")].map((row) => [...row.querySelectorAll("input")].map((i) => i.value)).filter(([k]) => k.trim()),
      )
    case "rows":
      return [...field.querySelectorAll(":scope > [data-rows] > [data-row]")].map((row) =>
        Object.fromEntries([...row.querySelectorAll("[data-key]")].map((part) => [part.dataset.key, valueOf(part)]).filter(([, v]) => v !== undefined && v !== null)),
      )
    case "yesno":
      return field.querySelector("input").checked
    case "number":
    case "slider": {
      const text = field.querySelector("input").value
      return text === "" ? (field.dataset.empty === "null" ? null : undefined) : Number(text)
    }
    case "schema":
    case "json":
      return json(field)
    case "file":
      return JSON.parse(field.querySelector("[data-source]").value || "null")
    case "condition":
      return field.querySelector("[data-source]").value
    case "choice":
      return JSON.parse(field.querySelector("select, input:checked").value)
    default:
      return field.querySelector("input, textarea, select").value
  }
}

function json(field) {
  const area = field.querySelector("[data-source]") ?? field.querySelector("textarea")
  if (field.dataset.control === "schema" && !area.value.trim()) return {}
  if (!area.value.trim()) return field.dataset.kind === "text" ? "" : null
  try {
    const parsed = JSON.parse(area.value)
    fault(field, "")
    return field.dataset.kind === "text" ? area.value : parsed
  } catch (problem) {
    fault(field, t`This is not JSON yet: ${problem.message}.`)
    return field.dataset.kind === "text" ? area.value : undefined
  }
}

export function fault(field, words) {
  const el = field.querySelector(".field__error")
  const control = field.querySelector("[data-source]") ?? field.querySelector("input, textarea, select")
  control?.toggleAttribute("aria-invalid", Boolean(words))
  if (words) control?.setAttribute("aria-invalid", "true")
  if (!el) return
  el.hidden = !words
  el.querySelector(".field__fault").textContent = words
}

// Fields that are only there while another field has a certain value.
export function conditions(panel) {
  for (const el of panel.querySelectorAll("[data-shown-when]")) {
    const { field, values } = JSON.parse(el.dataset.shownWhen)
    const scope = el.closest("[data-row]") ?? panel
    const other = scope.querySelector(`[data-field="${CSS.escape(field)}"], [data-key="${CSS.escape(field)}"]`)
    if (other) el.hidden = !values.includes(valueOf(other))
  }
}
