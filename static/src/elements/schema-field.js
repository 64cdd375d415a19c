// <schema-field>: a JSON Schema built field by field. The textarea [data-source] holds the JSON: it is what is saved; the
// fields are written into it, as app/studio/schemas.py writes them. Without scripts the form sends the fields.
import { send } from "./htmx.js"
import { t } from "../words.js"

const JSON_TYPES = { text: "string", number: "number", whole: "integer", yesno: "boolean", object: "object" }

class SchemaField extends HTMLElement {
  connectedCallback() {
    this.source = this.querySelector("[data-source]")
    if (!this.source || this.hasAttribute("plain") || this.ready) return
    this.ready = true
    this.top = this.querySelector("[data-top]")
    this.addEventListener("click", (e) => this.clicked(e))
    if (!this.top) return
    for (const kind of ["input", "change"]) this.addEventListener(kind, (e) => this.changed(e))
  }

  changed(e) {
    if (e.target === this.source) return
    if (e.target.matches("[data-sample]")) return e.stopPropagation()
    const field = e.target.closest("[data-property]")
    if (field) this.fit(field)
    const text = this.text
    if (text === this.source.value) e.stopPropagation()
    else this.source.value = text
  }

  fit(field) {
    const { value } = field.querySelector("[data-kind]")
    field.querySelector("[data-options]").hidden = value !== "choice"
    field.querySelector("[data-inner]")?.toggleAttribute("hidden", value !== "object")
    field.setAttribute("aria-label", t`Field ${field.querySelector("[data-name]").value}`)
  }

  get text() {
    const fields = [...this.top.children]
    const kept = JSON.parse(this.dataset.kept ?? "{}")
    return fields.length || Object.keys(kept).length ? JSON.stringify({ ...object(fields), ...kept }) : ""
  }

  tell() {
    this.source.value = this.text
    this.source.dispatchEvent(new Event("input", { bubbles: true }))
  }

  clicked(e) {
    const button = e.target.closest("button")
    if (!button) return
    if (button.dataset.fieldAdd !== undefined) this.add(button.closest("[data-inner]")?.querySelector("[data-properties]") ?? this.top)
    else if (button.dataset.fieldRemove !== undefined) this.remove(button.closest("[data-property]"))
    else if (button.dataset.sampleUse !== undefined) this.sample(button)
  }

  add(list) {
    const field = this.querySelector("template").content.firstElementChild.cloneNode(true)
    let depth = 1
    for (let at = list; at !== this.top; at = at.parentElement) if (at.matches("[data-property]")) depth++
    if (depth >= 5) field.querySelector("[data-inner]")?.remove()
    list.append(field)
    field.querySelector("[data-name]").focus()
  }

  remove(field) {
    const next = field.nextElementSibling ?? field.previousElementSibling
    field.remove()
    ;(next?.querySelector("[data-field-remove]") ?? this.querySelector("[data-field-add]")).focus()
    this.tell()
  }

  async sample(button) {
    const fault = this.querySelector("[data-sample-fault]")
    button.setAttribute("aria-busy", "true")
    const sample = this.querySelector("[data-sample]").value
    const reply = await send("/schemas/inference", { body: JSON.stringify({ sample }), headers: { "Content-Type": "application/json", Accept: "application/json" } }).catch(() => null)
    button.removeAttribute("aria-busy")
    const answer = await reply?.json().catch(() => null)
    fault.hidden = Boolean(reply?.ok)
    if (!reply?.ok) {
      fault.querySelector("span").textContent = answer?.title ?? t`No connection. Nothing was changed.`
      return
    }
    this.source.value = JSON.stringify(answer.schema)
    this.source.dispatchEvent(new Event("input", { bubbles: true }))
    this.dispatchEvent(new CustomEvent("panel:anew", { bubbles: true }))
  }
}

function object(fields) {
  const named = fields.map((field) => [field.querySelector("[data-name]").value.trim(), field]).filter(([name]) => name)
  return {
    type: "object",
    properties: Object.fromEntries(named.map(([name, field]) => [name, part(field)])),
    required: named.filter(([, field]) => field.querySelector("[data-required]").checked).map(([name]) => name),
    additionalProperties: false,
  }
}

function part(field) {
  const kind = field.querySelector("[data-kind]").value
  const { items = {}, ...kept } = JSON.parse(field.dataset.kept)
  const inner = [...(field.querySelector("[data-properties]")?.children ?? [])]
  let made = {}
  if (kind === "choice") made = { type: "string", enum: field.querySelector("[data-options]").value.split(",").map((o) => o.trim()).filter(Boolean) }
  else if (kind === "object" && inner.length) made = object(inner)
  else if (kind !== "any") made = { type: JSON_TYPES[kind] }
  if (field.querySelector("[data-many]").checked) made = { type: "array", items: { ...made, ...items } }
  else if (Object.keys(items).length) kept.items = items
  const description = field.querySelector("[data-description]").value
  return { ...made, ...(description ? { description } : {}), ...kept }
}

customElements.define("schema-field", SchemaField)
