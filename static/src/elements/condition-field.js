// <condition-field start="value">: a condition built as a sentence. The textarea [data-source] holds the CEL: it is what is
// saved and read back; the clauses are written into it. Without scripts the form sends the clauses.
import { missing, written } from "./condition-words.js"
import { ValuePreview } from "./value-preview.js"

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
    const url = this.closest("[data-preview]")
    if (url) this.preview = new ValuePreview({ area: this.source, kind: "expression", setting: this.querySelector("value-field").setting ?? "", append: (el) => this.said.append(el), faulty: () => {}, get isConnected() { return this.area.isConnected } }, url.dataset.preview, url.dataset.run ?? "")
    if (!this.closest("[data-row]")) this.look(0)
  }

  disconnectedCallback() {
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
    const between = match.value === "all" ? "or" : "and"
    this.querySelector("[data-lead]").hidden = !several
    const more = this.querySelector("[data-group-add]")
    if (more) {
      more.hidden = !this.clauses.length
      more.querySelector("[data-group-words]").textContent = between === "or" ? "Or …" : "And …"
    }
    for (const group of this.groups.children) group.dataset.between = between
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

customElements.define("condition-field", ConditionField)
