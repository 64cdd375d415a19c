// The face of a form, and that of plain input: what its fields say, what is wrong with them, what came out.

import { given, refused } from "./value-fields.js"
import { markup } from "./swap.js"
import { t } from "../words.js"

export class Face {
  constructor(runs) {
    this.runs = runs
    this.host = runs.host
    this.host.part("panel").addEventListener("click", (e) => {
      if (e.target.closest("[data-same]")) this.same()
    })
  }

  get el() {
    return this.host.panel.el
  }

  get form() {
    return this.el.querySelector('form[data-try="form"], form[data-try="input"]')
  }

  // The newest try: of it the fields hold what it was given, so that its secrets can be put back.
  get last() {
    return this.el.querySelector(".face")?.dataset.last
  }

  // {input, again} of a form that was sent; null when a field can't be read, which it says itself.
  read(form) {
    const values = given(form)
    if (!values) return null
    const input = form.dataset.try === "input" ? values.input : values
    return this.last ? { input, again: this.last } : { input }
  }

  // Once more what the newest try was given, whatever the fields say by now.
  async same() {
    const { host, runs } = this
    if (runs.active) return host.toast(t`A run goes on. Stop it first.`)
    if (!host.panel.trying) await host.panel.tryIt()
    if (this.el.querySelector('form[data-try="chat"]')) return runs.talk.again()
    if (!this.form) return
    if (!this.last) return host.toast(t`Nothing was tried yet. Say what starts the run.`)
    await runs.start({ again: this.last }, this.form.dataset.try)
  }

  clear() {
    const { out } = this
    if (!out) return
    out.hidden = true
    out.replaceChildren()
    this.runs.talk.list?.replaceChildren()
  }

  get out() {
    return this.el.querySelector("[data-result]")
  }

  // The start step would not have it: said where it was typed.
  refuse({ field, message }) {
    return Boolean(this.form && field && refused(this.form, field.split(/[.[]/)[0], message))
  }

  // What came out, with the viewers, in the place of the words that came meanwhile; from now on it can be taken again.
  async ended() {
    const { id } = this.runs
    const { out } = this
    if (!out) return
    this.el.querySelector(".face").dataset.last = id
    this.el.querySelector("[data-same]").hidden = false
    const reply = await fetch(`${this.host.dataset.url}/tries/${id}/result`, { headers: { Accept: "text/html" } }).catch(() => null)
    if (!reply?.ok) return
    const fresh = markup(await reply.text())
    if (id !== this.runs.id || !out.isConnected || !fresh) return
    this.runs.talk.list.replaceChildren()
    out.replaceChildren(fresh)
    out.hidden = false
    out.scrollIntoView({ block: "nearest" })
  }
}
