// JSON that somebody writes into a field of templates/runs/_value_fields.html: what is wrong with it, said at the field
// as soon as they pause, and taken away as soon as it is right. An empty field says nothing.
import { t } from "../words.js"

const PAUSE = 400 // ms without a key
const OBJECT = '{"name": "value"}'

// What is wrong with a text as JSON, in words with line and column; "" when nothing is. `shape`: "list" or "object", "" = any.
export function jsonFault(text, shape = "") {
  let value
  try {
    value = JSON.parse(text)
  } catch (problem) {
    return t`This is not JSON yet: ${place(text, problem.message)}.`
  }
  if (shape === "list" && !Array.isArray(value)) return t`This is no list. Write it like ${'["a", "b"]'}.`
  if (shape === "object" && (value === null || typeof value !== "object" || Array.isArray(value))) return t`This is no object. Write it like ${OBJECT}.`
  return ""
}

// "Expected ',' in JSON at position 14 (line 2 column 3)" → "expected ',' in line 2, column 3".
function place(text, words) {
  const at = Number(/at position (\d+)/.exec(words)?.[1] ?? text.length)
  const before = text.slice(0, at).split("\n")
  const what = words.replace(/ (in JSON )?at position.*$/s, "").replace(/, ?"[\s\S]*$/, "").replace(/ JSON input$/, " text")
  return t`${what[0].toLowerCase() + what.slice(1)}, line ${before.length}, column ${before.at(-1).length + 1}`
}

export function sayFault(el, words) {
  const fault = el.closest(".value-edit")?.querySelector(".field__error")
  if (words) {
    el.setAttribute("aria-invalid", "true")
    const told = (el.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean) // its help may be there, too
    if (fault && !told.includes(fault.id)) el.setAttribute("aria-describedby", [...told, fault.id].join(" "))
  } else el.removeAttribute("aria-invalid")
  if (!fault) return
  fault.hidden = !words
  fault.querySelector(".field__fault").textContent = words
}

const timers = new WeakMap()

document.addEventListener("input", (e) => {
  const el = e.target
  if (!el.matches?.('textarea[data-value="json"]')) return
  clearTimeout(timers.get(el))
  const words = el.value.trim() ? jsonFault(el.value, el.dataset.shape) : ""
  if (!words) return sayFault(el, "")
  timers.set(el, setTimeout(() => sayFault(el, words), PAUSE))
})
