// Pins: what a step gives in tries instead of being called. A badge on its card, a form under its output.

import { csrf, sentence } from "./outbox.js"
import { markup } from "./swap.js"
import { t } from "../words.js"

export class Pins {
  constructor(host, icon) {
    this.host = host
    this.icon = icon
    this.nodes = new Set()
    const panel = host.part("panel")
    panel.addEventListener("pane", (e) => e.detail === "output" && this.form())
    panel.addEventListener("submit", (e) => this.submitted(e))
    this.load()
  }

  async load() {
    const reply = await fetch(`${this.host.dataset.url}/pins`, { headers: { Accept: "application/json" } }).catch(() => null)
    if (!reply?.ok) return
    this.nodes = new Set((await reply.json()).nodes)
    for (const node of this.host.graph.nodes.values()) this.badge(node)
  }

  badge(node) {
    const has = node.el.querySelector(".node__pin")
    if (this.nodes.has(node.id) === Boolean(has)) return
    if (has) return has.remove()
    const badge = document.createElement("span")
    badge.className = "node__pin"
    const words = document.createElement("span")
    words.className = "visually-hidden"
    words.textContent = t`Pinned`
    badge.append(this.icon("pin"), words)
    node.el.querySelector(".node__head")?.append(badge)
  }

  async form() {
    const { host } = this
    const place = host.part("panel").querySelector("[data-pin-place]")
    const node = host.panel.node
    if (!place || !node) return
    const reply = await fetch(`${host.dataset.url}/nodes/${node}/pin?run=${host.runs.id}`, { headers: { Accept: "text/html" } }).catch(() => null)
    if (!reply?.ok || host.panel.node !== node) return
    const fresh = markup(await reply.text())
    if (fresh) place.replaceChildren(fresh)
  }

  submitted(e) {
    const form = e.target.closest("[data-pin-form]")
    if (!form) return
    e.preventDefault()
    e.stopPropagation()
    const id = form.dataset.pinForm
    if (e.submitter?.value === "unpin") return this.change(id, null)
    const area = form.querySelector("textarea")
    try {
      this.change(id, JSON.parse(area.value), form)
    } catch (problem) {
      this.fault(form, t`This is not JSON yet: ${problem.message}.`)
    }
  }

  fault(form, words) {
    const fault = form.querySelector(".field__error")
    fault.hidden = false
    fault.querySelector(".field__fault").textContent = words
    form.querySelector("textarea").focus()
  }

  // Set (an output) or take away (null); what was there before is one press away.
  async change(id, output, form = null) {
    const { host } = this
    const before = output === null ? null : await this.now(id)
    const answer = await this.send(id, output)
    if (answer.status !== 200) {
      const words = sentence(answer.body) || t`No connection. Nothing was pinned.`
      return form ? this.fault(form, words) : host.toast(words)
    }
    const was = output === null ? answer.body.output : before
    await this.load()
    await this.form()
    const title = host.graph.nodes.get(id)?.title ?? t`The step`
    host.toast(output === null ? t`“${title}” is called again.` : t`“${title}” is pinned: tries take this output.`, () => this.change(id, was))
  }

  async now(id) {
    if (!this.nodes.has(id)) return null
    const place = this.host.part("panel").querySelector(`[data-pin-form="${CSS.escape(id)}"] textarea`)
    return place ? JSON.parse(place.defaultValue) : null
  }

  async send(id, output) {
    const reply = await fetch(`${this.host.dataset.url}/nodes/${id}/pin`, {
      method: output === null ? "DELETE" : "PUT",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": csrf() },
      ...(output === null ? {} : { body: JSON.stringify({ output }) }),
    }).catch(() => null)
    return { status: reply?.status ?? 0, body: (await reply?.json?.().catch(() => null)) ?? {} }
  }
}
