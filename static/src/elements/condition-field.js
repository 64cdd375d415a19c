// <condition-field start="value">: a condition built as a sentence. The textarea [data-source] holds the CEL: it is what is
// saved and read back; the clauses are written into it. Without scripts the form sends the clauses.
import { missing, part, written } from "./condition-words.js"
import { ValuePreview } from "./value-preview.js"
import { shape } from "./value-shape.js"
import { t } from "../words.js"

let made = 0

class ConditionField extends HTMLElement {
  connectedCallback() {
    this.source = this.querySelector("[data-source]")
    if (!this.source || this.hasAttribute("plain") || this.ready) return
    this.ready = true
    this.parts = this.querySelector("[data-parts]")
    this.groups = this.querySelector("[data-groups]")
    this.addEventListener("click", (e) => this.clicked(e))
    if (!this.parts) return
    this.addEventListener("input", (e) => this.changed(e))
    this.addEventListener("change", (e) => this.changed(e))
    this.addEventListener("focusin", () => this.look())
    this.said = Object.assign(document.createElement("div"), { className: "sentence__said" })
    this.parts.append(this.said)
    for (const clause of this.clauses) this.fill(clause)
    this.show()
    const step = this.closest("[data-preview]")
    if (step) this.preview = new ValuePreview(this.asking(), step.dataset.preview, step.dataset.run ?? "")
    // Twenty cases of a Switch ask when they come into sight, not all at once.
    this.sight = new IntersectionObserver((seen) => {
      if (!seen.some((each) => each.isIntersecting)) return
      this.sight.disconnect()
      this.look()
    })
    this.sight.observe(this)
  }

  // What the preview asks about: the whole, and each comparison by itself.
  asking() {
    const field = this
    return {
      area: this.source,
      kind: "expression",
      setting: this.querySelector("value-field").setting ?? "",
      append: (el) => {
        el.dataset.now = t`Now`
        this.said.append(el)
      },
      faulty: () => {},
      asks: () => ({ parts: (this.asked = this.clauses).map((clause) => part(this.read(clause))) }),
      told: ({ parts }) => parts.forEach((verdict, i) => this.verdict(this.asked[i], verdict)),
      get isConnected() {
        return field.isConnected
      },
    }
  }

  // Whether one comparison holds with the values of the last run, and what its value is.
  verdict(clause, { state, found, type, error }) {
    if (!clause?.isConnected) return
    let now = clause.querySelector("output.sentence__now")
    if (!now) {
      now = Object.assign(document.createElement("output"), { className: "sentence__now" })
      now.setAttribute("aria-label", t`Now`)
      now.setAttribute("aria-live", "off") // read with the clause, not after every letter
      clause.append(now)
    }
    const word = Object.assign(document.createElement("span"), { className: "sentence__verdict", textContent: { true: t`yes`, false: t`no`, unknown: t`not known` }[state] })
    const value = Object.assign(document.createElement("span"), { className: "sentence__found", textContent: error || found })
    now.dataset.state = state
    word.prepend(mark(state))
    now.replaceChildren(word, ...(!error && found ? [shape(type)] : []), value)
  }

  disconnectedCallback() {
    this.sight?.disconnect()
    this.preview?.stop()
  }

  // One list for the whole panel: twenty cases of a Switch would each bring their own.
  get comparisons() {
    return (this.all ??= JSON.parse(this.closest("[data-values]").querySelector("script.comparisons").textContent))
  }

  fill(clause) {
    const select = clause.querySelector("[data-op]")
    select.replaceChildren(
      ...this.comparisons.map(({ code, words, cel, other = "", types = [] }) => {
        const option = new Option(words, code, code === select.dataset.chosen, code === select.dataset.chosen)
        Object.assign(option.dataset, { cel, other, types: types.join(" ") })
        return option
      }),
    )
  }

  look(wait = 0) {
    this.preview?.soon(wait)
  }

  get clauses() {
    return [...this.groups.querySelectorAll("[data-clause]")]
  }

  read(clause) {
    const { cel, other: kind } = clause.querySelector("[data-op]").selectedOptions[0].dataset
    return { value: clause.querySelector("[data-value] textarea").value, cel, kind, other: clause.querySelector("[data-other] textarea").value }
  }

  get sentence() {
    return {
      match: this.querySelector("[data-match]").value,
      groups: [...this.groups.children].map((group) => [...group.querySelectorAll("[data-clause]")].map((clause) => this.read(clause))),
    }
  }

  // The clauses became another sentence: the source follows, and whoever saves it hears of it.
  changed(e) {
    if (e.target === this.source) {
      this.look(300)
      return
    }
    if (e.target.closest("[data-source-box]")) return
    this.show()
    const text = written(this.sentence)
    if (text === this.source.value) {
      e.stopPropagation()
      return
    }
    this.write(text)
  }

  write(text) {
    this.source.value = text
    this.querySelector("[data-source-box] > value-field").draw?.()
    this.look(300)
  }

  tell() {
    this.show()
    this.write(written(this.sentence))
    this.source.dispatchEvent(new Event("input", { bubbles: true }))
  }

  clicked(e) {
    const button = e.target.closest("button")
    if (!button) return
    const { clauseAdd, clauseRemove, groupAdd } = button.dataset
    if (clauseAdd !== undefined) this.add(this.groups.lastElementChild ?? this.group())
    else if (groupAdd !== undefined) this.add(this.group())
    else if (clauseRemove !== undefined) this.remove(button.closest("[data-clause]"))
  }

  group() {
    const group = Object.assign(document.createElement("div"), { className: "sentence__group" })
    group.dataset.group = ""
    this.groups.append(group)
    return group
  }

  add(group) {
    const clause = this.querySelector("template").content.firstElementChild.cloneNode(true)
    made++
    for (const area of clause.querySelectorAll("textarea")) area.id = `${this.source.id}-${area.id.slice(-1)}${made}`
    clause.querySelector("[data-value] textarea").value = this.getAttribute("start")
    group.append(clause)
    this.fill(clause)
    this.tell()
    const area = clause.querySelector("[data-value] textarea")
    area.focus()
    area.select()
  }

  remove(clause) {
    const group = clause.parentElement
    const next = clause.nextElementSibling ?? clause.previousElementSibling
    clause.remove()
    if (!group.children.length) group.remove()
    ;(next?.querySelector("[data-clause-remove]") ?? this.querySelector("[data-clause-add]")).focus()
    this.tell()
  }

  // Which comparisons fit the value, which other side they need, and the words between.
  show() {
    const match = this.querySelector("[data-match]")
    const several = this.clauses.length > 1
    const or = match.value === "all" // between groups; within one it is the other way about
    this.querySelector("[data-lead]").hidden = !several
    const more = this.querySelector("[data-group-add]")
    if (more) {
      more.hidden = !this.clauses.length
      more.querySelector("[data-group-words]").textContent = or ? t`Or …` : t`And …`
    }
    for (const group of this.groups.children) group.dataset.between = or ? t`or` : t`and`
    for (const clause of this.clauses) this.fit(clause)
  }

  fit(clause) {
    const select = clause.querySelector("[data-op]")
    const value = clause.querySelector("[data-value]")
    const type = value.typeOf?.(value.querySelector("textarea").value.trim()) ?? "any"
    for (const option of select.options) {
      const { types } = option.dataset
      option.hidden = Boolean(types && type !== "any" && !types.split(" ").includes(type) && !option.selected)
    }
    const said = this.read(clause)
    clause.querySelector("[data-other-box]").hidden = !said.kind
    const words = said.kind ? missing(said) : ""
    const other = clause.querySelector("[data-other] textarea")
    other.toggleAttribute("aria-invalid", Boolean(words))
    if (words) other.setAttribute("aria-invalid", "true")
    other.placeholder = words
  }
}

const MARKS = { true: "M2 6.4l2.8 2.8L10 3.4", false: "M3 3l6 6M9 3l-6 6", unknown: "M2.500 6h7" }

function mark(state) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg")
  svg.setAttribute("viewBox", "0 0 12 12")
  svg.setAttribute("aria-hidden", "true")
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path")
  path.setAttribute("d", MARKS[state])
  svg.append(path)
  return svg
}

customElements.define("condition-field", ConditionField)
