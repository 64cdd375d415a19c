// Clauses -> CEL, as app/studio/sentences.py writes it. The comparisons come with the choices of the form.
import { t } from "../words.js"

const NUMBER = /^-?\d+(\.\d+)?$/
const PATH = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*|\[\d+\]|\["[^"\\]*"\])*$/
const VALUE = `{{ ${t`a value`} }}`
const DAY = /^\d{4}-\d\d-\d\d$/
const MARKS = { "\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t" }

// {match: "all" | "any", groups: [[{value, cel, kind, other}]]}
export function written({ match, groups }) {
  const [inner, outer] = match === "all" ? [" && ", " || "] : [" || ", " && "]
  const parts = groups.map((group) => group.filter((c) => c.value.trim()).map(clause)).filter((group) => group.length)
  if (parts.length === 1) return parts[0].join(inner)
  return parts.map((group) => (group.length > 1 ? `(${group.join(inner)})` : group[0])).join(outer)
}

// One comparison by itself, as the server looks at it: {cel, value}.
export const part = (c) => (c.value.trim() ? { cel: clause(c), value: c.value } : { cel: "" })

// What is still wrong with the other side, in words; "" when nothing is.
export function missing({ kind, other }) {
  const typed = other.trim()
  if (hole(typed)) return ""
  if (kind === "number" && !NUMBER.test(typed)) return t`Write a number, or ${VALUE}.`
  if (kind === "moment" && !/^\d{4}-\d\d-\d\d(T.+)?$/.test(typed)) return t`Write a date, such as ${"2027-01-31"}.`
  if (kind === "list" && !typed) return t`Write one or more, with commas between.`
  return ""
}

function clause({ value, cel, kind, other }) {
  const left = PATH.test(value.trim()) ? value.trim() : `(${value.trim()})`
  return cel.replace(/\{[vo]\}/g, (place) => (place === "{v}" ? left : literal(other, kind)))
}

function hole(typed) {
  const path = /^\{\{(.*?)\}\}$/s.exec(typed)?.[1].trim()
  return path && PATH.test(path) ? path : ""
}

function literal(typed, kind) {
  const trimmed = typed.trim()
  const path = hole(trimmed)
  if (path) return kind === "moment" ? `timestamp(${path})` : path
  if (kind === "list") return `[${typed.split(",").map((part) => part.trim()).filter(Boolean).map((part) => literal(part, "any")).join(", ")}]`
  if (kind === "moment") return `timestamp(${quoted(DAY.test(trimmed) ? `${typed}T00:00:00Z` : typed)})`
  if (kind === "same") return quoted(`(?i)^${escaped(typed)}$`)
  if (kind === "part") return quoted(`(?i)${escaped(typed)}`)
  if ((kind === "any" || kind === "number") && NUMBER.test(trimmed)) return trimmed
  return quoted(typed.length > 1 && typed.startsWith('"') && typed.endsWith('"') ? typed.slice(1, -1) : typed)
}

function quoted(text) {
  return `"${text.replace(/[\\"\n\r\t]/g, (mark) => MARKS[mark])}"`
}

function escaped(text) {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&")
}
