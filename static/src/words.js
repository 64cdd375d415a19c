// Words for people, in the language of the page. An English sentence is its own name; what has no translation is English.
//
//   t`Run ${name} again`                         message "Run {1} again": holes are numbered as they stand
//   plural(n, "{1} step", "{1} steps", more)     one of two sentences by the language's plural rules; {1} is n, {2}… the rest
//   number(12.5, 1)                              as the language writes it, here with one digit behind the point
//
// For whoever extracts them (app/language): every t`…`, its ${…} turned into {1}, {2}…, and the two texts between double
// quotes that follow the first comma of plural(…), on one line with it. A hole holds no ` and no }, a text no other brace:
// what needs one (an example of JSON, of {{ a value }}) stands in a hole. Nothing else is a message.
//
// Translations are there before any module runs: a page that is not English carries, ahead of its modules,
//   <script defer nonce="…" src="/language/de.HASH.js"></script>
// with agentbaseWords={"messages": {"Undo": "Rückgängig"}, "plurals": {"{1} step": {"one": "{1} Schritt", "other": "{1} Schritte"}}}
// A translation is text, never markup. Pages in English carry nothing and look nothing up.

const root = document.documentElement
const english = !root.lang || root.lang.startsWith("en")
const messages = new Map(Object.entries(globalThis.agentbaseWords?.messages ?? {}))
const plurals = new Map(Object.entries(globalThis.agentbaseWords?.plurals ?? {}))

/** The language of the page for Intl: figures are Latin ones in every script, as the server writes them. */
export const language = english ? "en" : `${root.lang}-u-nu-latn`

/** Whether the page runs from right to left. */
export const rtl = root.dir === "rtl"

const rules = new Intl.PluralRules(language)
const figures = new Map() // a formatter is dear to make

export function t(strings, ...holes) {
  let text = strings[0]
  for (let i = 1; i < strings.length; i++) text += `{${i}}${strings[i]}`
  return messages.has(text) ? filled(messages.get(text), holes) : asEnglish(filled(text, holes))
}

export function plural(n, one, other, ...rest) {
  const forms = plurals.get(one)
  return forms ? filled(forms[rules.select(n)] ?? forms.other, [n, ...rest]) : asEnglish(filled(n === 1 ? one : other, [n, ...rest]))
}

/** For what is kept rather than shown, as the name of a new flow: without the marks of direction. */
export const bare = (text) => text.replace(/[\u2066-\u2069]/g, "")

/** `digits`: behind the point, always as many; without it, as many as there are, three at most. */
export function number(value, digits) {
  if (!figures.has(digits)) figures.set(digits, new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits }))
  return figures.get(digits).format(value)
}

// What nobody has translated yet reads from left to right all the same (U+2066 … U+2069).
const asEnglish = (text) => (rtl ? `\u2066${text}\u2069` : text)

// A name of whatever script keeps its own direction inside a sentence from right to left (U+2068 … U+2069 isolate it).
function filled(text, holes) {
  return text.replace(/\{(\d+)\}/g, (_, at) => {
    const hole = holes[at - 1]
    if (typeof hole === "number") return english ? String(hole) : number(hole)
    return rtl ? `\u2068${hole}\u2069` : hole
  })
}
