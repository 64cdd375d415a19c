// Breakpoints: steps before which one's own tries pause. A dot on the card; a bar that goes on; a form in the panel.

import { csrf, sentence } from "./outbox.js"
import { changed, refused } from "./value-fields.js"
import { plural, t } from "../words.js"

export class Breaks {
  constructor(host, icon) {
    this.host = host
    this.icon = icon
    this.nodes = new Map() // step → "each" or "first"
    host.part("panel").addEventListener("submit", (e) => this.submitted(e))
    this.bar = host.part("pause")
    this.bar?.querySelector("[data-paused-step]").addEventListener("click", () => this.look())
    host.world.addEventListener("click", (e) => this.clicked(e))
    this.load()
  }

  async load() {
    const reply = await this.send("GET", "/breakpoints")
    if (reply.status !== 200) return
    this.nodes = new Map(Object.entries(reply.body.nodes))
    for (const node of this.host.graph.nodes.values()) this.badge(node)
  }

  badge(node) {
    const how = this.nodes.get(node.id)
    const has = node.el.querySelector(".node__break")
    if (has && has.dataset.rounds === how) return
    has?.remove()
    if (!how) return
    const dot = document.createElement("button")
    dot.type = "button"
    dot.className = "node__break"
    dot.tabIndex = -1 // the step's own key is B
    dot.dataset.rounds = how
    dot.dataset.tip = how === "first" ? t`Pauses before its first round. Press to take it away.` : t`Pauses before this step. Press to take it away.`
    const words = document.createElement("span")
    words.className = "visually-hidden"
    words.textContent = how === "first" ? t`Breakpoint, first round` : t`Breakpoint`
    dot.append(words)
    node.el.querySelector(".node__card").append(dot)
  }

  clicked(e) {
    const dot = e.target.closest(".node__break")
    if (!dot) return
    e.stopPropagation()
    this.toggle(dot.closest(".node").dataset.id, this.nodes.get(dot.closest(".node").dataset.id))
  }

  // Pressed again, it is taken away. `rounds`: "each" or "first".
  async toggle(id, rounds = "each") {
    const before = this.nodes.get(id) ?? null
    await this.change(id, before === rounds ? null : rounds, before)
  }

  async change(id, rounds, before) {
    const { host } = this
    const reply = await this.send(rounds ? "PUT" : "DELETE", `/nodes/${id}/breakpoint`, rounds ? { rounds } : undefined)
    if (reply.status !== 200) return host.toast(sentence(reply.body) || t`No connection. Nothing was changed.`)
    if (rounds) this.nodes.set(id, rounds)
    else this.nodes.delete(id)
    const node = host.graph.nodes.get(id)
    if (node) this.badge(node)
    const title = node?.title ?? t`the step`
    const words = !rounds ? t`Your tries don’t pause before “${title}”.` : rounds === "first" ? t`Your tries pause before the first round of “${title}”.` : t`Your tries pause before “${title}”.`
    host.toast(words, () => this.change(id, before, rounds))
  }

  async away() {
    const { host } = this
    const reply = await this.send("DELETE", "/breakpoints")
    if (reply.status !== 200) return host.toast(sentence(reply.body) || t`No connection. Nothing was changed.`)
    const gone = Object.entries(reply.body.nodes)
    this.nodes.clear()
    for (const node of host.graph.nodes.values()) this.badge(node)
    host.toast(gone.length ? plural(gone.length, "One breakpoint taken away.", "{1} breakpoints taken away.") : t`There are no breakpoints.`, gone.length ? () => Promise.all(gone.map(([id, rounds]) => this.change(id, rounds, null))) : null)
  }

  // --- a run that pauses

  // The step whose panel is open when the run pauses there, else the first one.
  get paused() {
    const { runs, panel, graph } = this.host
    const all = graph.ordered().filter((node) => runs.steps.get(node.id)?.status === "paused")
    return all.find((node) => node.id === panel.node) ?? all[0] ?? null
  }

  show() {
    if (!this.bar) return
    const node = this.paused
    this.bar.hidden = !node
    this.host.toggleAttribute("data-paused", Boolean(node))
    if (node) this.bar.querySelector("[data-paused-title]").textContent = node.title
  }

  look() {
    const node = this.paused
    if (!node) return
    const { host } = this
    host.panel.tab = "input"
    host.select([node.id], { open: false })
    host.view.show(node)
    host.panel.open(node.id, { again: true })
  }

  submitted(e) {
    const form = e.target.closest("[data-pause]")
    if (!form) return
    e.preventDefault()
    e.stopPropagation()
    const how = e.submitter?.value || "next"
    const edits = how === "skip" ? {} : changed(form)
    if (edits) this.goOn(how, form.dataset.pause, edits, form)
  }

  async goOn(how, place = "", edits = {}, form = null) {
    const { host } = this
    const { runs } = host
    const node = place ? host.graph.nodes.get(place.split(":")[0]) : this.paused
    if (!node) return
    const step = place || runs.steps.get(node.id).place || node.id
    await host.outbox.flush()
    runs.hear()
    const reply = await this.send("POST", `/tries/${runs.id}/pauses`, { step, how, edits })
    if (reply.status !== 200) {
      const words = sentence(reply.body) || t`No connection. The run still pauses.`
      if (!(form && reply.body.field && refused(form, reply.body.field, words))) host.toast(words)
      return runs.sync()
    }
    for (const one of how === "end" ? runs.steps.values() : [runs.steps.get(node.id)]) {
      if (one?.status === "paused") Object.assign(one, { status: "queued", place: "" })
    }
    host.say(how === "skip" ? t`${node.title} is skipped` : t`Goes on with ${node.title}`)
    runs.dressAll()
    if (host.panel.node === node.id) host.panel.open(node.id, { again: true })
    setTimeout(() => runs.sync(), 1200) // what the stream did not tell
  }

  async send(method, path, body) {
    const reply = await fetch(this.host.dataset.url + path, {
      method,
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": csrf() },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch(() => null)
    return { status: reply?.status ?? 0, body: (await reply?.json?.().catch(() => null)) ?? {} }
  }
}
