// How texts with values and expressions are read in the browser: only to draw and to offer, never to evaluate.
import { t } from "../words.js"

const HOLE = /\{\{([\s\S]*?)\}\}/g
const PATH = /^\s*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[\d+\]|\["[^"\\]*"\])*)\s*$/
const WORD = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*(?!\w*\s*\()|\[\d+\])*/g

// What the expressions of flows/expressions know. `insert`: | is where the cursor comes to stand.
export const FUNCTIONS = [
  ["size(…)", "size(|)", t`how long a text, a list or an object is`],
  ["has(…)", "has(|)", t`is this part of an object there?`],
  ["string(…)", "string(|)", t`as text`],
  ["int(…)", "int(|)", t`as a whole number`],
  ["double(…)", "double(|)", t`as a number`],
  ["timestamp(…)", "timestamp(|)", t`a text as a point in time`],
  ["duration(…)", 'duration("|")', t`a stretch of time: ${'"1h", "90s"'}`],
]
export const METHODS = [
  ["contains(…)", 'contains("|")', t`does the text hold these words?`],
  ["startsWith(…)", 'startsWith("|")', t`does the text begin with them?`],
  ["endsWith(…)", 'endsWith("|")', t`does the text end with them?`],
  ["matches(…)", 'matches("|")', t`does a pattern fit the text?`],
  ["size()", "size()|", t`how long it is`],
  ["filter(…)", "filter(x, |)", t`those of a list for which this holds`],
  ["map(…)", "map(x, |)", t`something of each element of a list`],
  ["exists(…)", "exists(x, |)", t`does it hold for one at least?`],
  ["all(…)", "all(x, |)", t`does it hold for each of them?`],
]

// The holes of a text: {start, end, path}; path = "" when it is more than a name.
export function holes(text) {
  return [...text.matchAll(HOLE)].map((m) => ({ start: m.index, end: m.index + m[0].length, inner: m[1], path: PATH.exec(m[1])?.[1] ?? "" }))
}

// The names and strings of an expression: {start, end, path}; path = "" for a string.
export function words(text) {
  return [...text.matchAll(WORD)].map((m) => ({ start: m.index, end: m.index + m[0].length, path: /^["']/.test(m[0]) ? "" : m[0], string: /^["']/.test(m[0]) }))
}

// What is being written at `at`: {start, part, hole}; null where nothing can be offered.
export function asked(text, at, kind, forced = false) {
  const before = text.slice(0, at)
  let hole = -1
  if (kind === "template") {
    hole = before.lastIndexOf("{{")
    if (hole < 0 || before.slice(hole).includes("}}")) return null
  }
  const inner = kind === "template" ? before.slice(hole + 2) : before
  if (inString(inner)) return null
  const part = /[A-Za-z_][\w.[\]]*\.?$/.exec(inner)?.[0] ?? ""
  if (!part && kind === "expression" && !forced) return null
  return { start: at - part.length, part, hole }
}

function inString(text) {
  let quote = ""
  for (let i = 0; i < text.length; i++) {
    if (quote) {
      if (text[i] === "\\") i++
      else if (text[i] === quote) quote = ""
    } else if (text[i] === '"' || text[i] === "'") quote = text[i]
  }
  return quote !== ""
}

// The list for what is being written: values first, best match first, then functions.
export function offers(part, variables) {
  const low = part.toLowerCase()
  const dot = part.lastIndexOf(".")
  const values = variables
    .map((v) => ({ ...v, at: v.name.toLowerCase().indexOf(low) }))
    .filter((v) => v.at >= 0 && v.name !== part)
    .sort((a, b) => Number(a.at > 0) - Number(b.at > 0))
    .map((v) => ({ label: v.name, hint: v.origin, value: v.value, type: v.type, insert: `${v.name}|`, from: 0 }))
  const known = dot >= 0 ? METHODS : part ? FUNCTIONS : []
  const tail = part.slice(dot + 1).toLowerCase()
  const functions = known
    .filter(([label]) => label.toLowerCase().startsWith(tail))
    .map(([label, insert, hint]) => ({ label, hint, value: "", type: "", insert, from: dot + 1 }))
  return [...values, ...functions].slice(0, 40)
}
