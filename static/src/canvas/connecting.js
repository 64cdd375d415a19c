// The dialog in which a connection is made beside the step that needs it. The server renders every page of it; back in
// the panel the new connection, or its first model, is chosen. The key goes to the server and never comes back.
import { markup } from "./swap.js"
import { t } from "../words.js"

export class Connecting {
  constructor(panel) {
    this.panel = panel
  }

  // field: the setting, or the part of a row, whose select gets what is made. button: data-connect may say where to begin.
  open(field, button) {
    this.part = field
    this.field = field.closest("[data-field]").dataset.field
    this.control = field.dataset.control
    const select = field.querySelector("select")
    const name = button.dataset.replace !== undefined ? select.value : ""
    this.el = Object.assign(document.createElement("dialog"), { className: "dialog connect-dialog" })
    this.el.setAttribute("aria-labelledby", "connect-title")
    this.el.addEventListener("click", (e) => this.clicked(e))
    this.el.addEventListener("submit", (e) => this.submitted(e))
    this.el.addEventListener("keydown", (e) => e.stopPropagation()) // the canvas's keys stay out
    this.el.addEventListener("close", () => this.closed())
    document.body.append(this.el)
    this.el.showModal()
    this.page(`${button.dataset.connect || "/connections/in-place"}${name ? `?name=${encodeURIComponent(name)}` : ""}`)
  }

  async page(url, body) {
    const reply = await fetch(url, {
      method: body ? "POST" : "GET",
      body,
      headers: { Accept: "text/html", "HX-Request": "true", "HX-Request-Type": "partial", "X-CSRF-Token": document.querySelector('meta[name="csrf-token"]').content },
    }).catch(() => null)
    if (!this.el.isConnected) return
    const text = reply ? await reply.text() : ""
    if (!reply || (!reply.ok && reply.headers.get("HX-Reswap") === "none") || !text) {
      this.panel.host.toast(reply ? t`The server could not do this. Try again.` : t`No connection to the server. Nothing was lost; try again.`)
      this.el.querySelector("[aria-busy]")?.removeAttribute("aria-busy")
      return
    }
    this.el.replaceChildren(markup(text))
    const chosen = this.el.querySelector("[data-chosen]")
    if (chosen) return this.choose(chosen.dataset.made)
    const wrong = this.el.querySelector("[aria-invalid]")
    ;(wrong ?? this.el.querySelector("[autofocus]") ?? this.el.querySelector("input[type=password], input:not([type=hidden])") ?? this.el.querySelector("#connect-title"))?.focus()
  }

  clicked(e) {
    const button = e.target.closest("button, a")
    if (!button) return
    if (button.dataset.close !== undefined) this.el.close()
    else if (button.dataset.go) this.page(button.dataset.go)
    else if (button.dataset.use !== undefined) this.use(this.el.querySelector("[data-made]").dataset)
  }

  submitted(e) {
    e.preventDefault()
    const button = e.submitter ?? e.target.querySelector("[type=submit]")
    if (button.hasAttribute("aria-busy")) return
    button.setAttribute("aria-busy", "true")
    this.page(e.target.getAttribute("action"), new URLSearchParams(new FormData(e.target)))
  }

  // A secret: its name stands in the list at once; the flow never holds more than that name.
  choose(name) {
    const select = this.part.querySelector("select")
    if (![...select.options].some((option) => option.value === name)) select.add(new Option(t`${name} · set just now`, name))
    select.value = name
    this.used = true
    this.el.close()
    this.part.querySelector("[data-replace]")?.removeAttribute("hidden")
    select.dispatchEvent(new Event("change", { bubbles: true }))
    select.focus()
  }

  // The panel is drawn anew: its list knows the new connection then.
  async use({ made, model }) {
    const { panel, field, control } = this
    const value = control === "model" ? model : made
    this.used = true
    this.el.close()
    if (value) panel.host.edit.run([{ op: "node.config", id: panel.node, field, value }])
    await panel.host.outbox.flush()
    await panel.open(panel.node, { again: true, focus: true, field })
  }

  closed() {
    const made = this.el.querySelector("[data-made]")
    this.el.remove()
    if (this.used) return (this.used = false)
    const again = () => this.panel.el.querySelector(`[data-field="${CSS.escape(this.field)}"] [data-connect]`)?.focus()
    if (made) this.panel.open(this.panel.node, { again: true }).then(again) // made, but not chosen: the list knows it all the same
    else again()
  }
}
