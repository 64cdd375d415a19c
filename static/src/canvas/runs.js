// Runs from the canvas: the test face sends an input, and this is the life of the run that comes of it. What else there is
// to it stands beside: runs-events.js (what it tells), runs-cards.js (what cards show), runs-drawer.js, runs-talk.js,
// runs-face.js, runs-files.js, runs-again.js (taken up anew), runs-breaks.js (pauses), runs-pins.js, runs-heat.js, runs-rating.js.

import { csrf } from "./outbox.js"
import { Again } from "./runs-again.js"
import { Breaks } from "./runs-breaks.js"
import { Cards } from "./runs-cards.js"
import { Drawer } from "./runs-drawer.js"
import { Events } from "./runs-events.js"
import { Face } from "./runs-face.js"
import { Files } from "./runs-files.js"
import { Heat } from "./runs-heat.js"
import { Pins } from "./runs-pins.js"
import { Rating } from "./runs-rating.js"
import { stream } from "./runs-stream.js"
import { Talk } from "./runs-talk.js"
import { t } from "../words.js"

const ENDED = { failed: t`Run failed`, cancelled: t`Run cancelled`, in_doubt: t`Run in doubt` }

export class Runs extends Again(Events(Cards(Object))) {
  constructor(host) {
    super()
    this.host = host
    this.listen()
    this.talk = new Talk(this)
    this.rating = new Rating(this)
    this.face = new Face(this)
    this.files = new Files(this)
    this.drawer = new Drawer(this)
    this.pins = new Pins(host, (name) => this.icon(name))
    this.breaks = new Breaks(host, (name) => this.icon(name))
    this.heat = new Heat(this)
    this.id = host.dataset.run ?? ""
    this.active = false
    this.told = 0 // the stream that is listened to: one of a run before is not
    this.steps = new Map()
    this.dirty = new Set()
    const last = host.querySelector("script.last-run")
    if (last) for (const [id, step] of Object.entries(JSON.parse(last.textContent))) this.steps.set(id, step)
    host.view.onframe.push(() => this.flows())
    if (this.id && new URLSearchParams(location.search).get("run") === this.id) this.drawer.load()
  }

  // --- start, stop

  clear() {
    this.steps.clear()
    this.id = ""
    this.drawer.forget()
    this.active = false
    this.host.overlay.flowing([])
    this.dressAll()
  }

  async submit(form) {
    if (this.active) return
    if (form.dataset.try !== "chat") {
      const given = this.face.read(form)
      return given && this.start(given, form.dataset.try)
    }
    const box = form.querySelector("[data-say]")
    const message = box.value.trim()
    if (!message && !this.files.chips.length) return
    this.active = true // its files may still be on their way
    this.controls()
    const files = await this.files.take()
    this.active = false
    this.controls()
    if (!files) return
    const input = this.talk.ask(message, files)
    box.value = ""
    await this.start({ input }, "chat")
  }

  // `given`: {input}, or {again: the run whose input is taken}, or both: that input, changed.
  async start(given, face) {
    this.active = true // from now on: a second press is none
    this.controls()
    await this.host.outbox.flush()
    this.leave()
    this.clear()
    this.began(face)
    for (const node of this.host.graph.nodes.values()) if (!node.note) this.steps.set(node.id, { status: "queued" })
    this.dressAll()
    this.host.say(t`Run started`)
    const upto = this.upto ?? ""
    this.upto = ""
    const afresh = document.querySelector("[data-afresh]")?.checked ?? false
    const refused = await this.follow("/tries", { ...given, afresh, upto })
    if (refused) this.over("failed", refused.words, refused)
  }

  began(kind) {
    this.active = true
    this.kind = kind
    this.face.clear()
    this.talk.begin()
    this.controls()
  }

  // Until the run ends or waits. Gives why nothing began, else null.
  async follow(path, body) {
    const mine = ++this.told
    const refused = await stream(this.host.dataset.url + path, body, (event) => mine === this.told && this.take(event))
    if (mine !== this.told) return null
    if (!refused && this.active) this.over("cancelled", t`The connection ended before the run did. Look under Runs for how it went on.`)
    return refused
  }

  async stop() {
    if (!this.id) return
    const { id } = this
    await fetch(`${this.host.dataset.url}/tries/${id}/cancellation`, { method: "PUT", headers: { "X-CSRF-Token": csrf() } }).catch(() => null)
    if (!this.active && id === this.id) this.sync()
  }

  // Another run begins: nobody will go on with one that pauses.
  leave() {
    if (this.breaks.paused) this.stop()
  }

  // A waiting run goes on later, told by the page's stream.
  heard(run, type, data) {
    if (run !== this.id || this.active) return
    this.take({ ...data, type, run })
  }

  // Have the page's stream tell of the run that is shown, whichever it was when the page was opened.
  hear() {
    const topic = `run:${this.id}`
    if (!this.id || this.ear?.getAttribute("topics") === topic) return
    this.ear?.remove()
    this.ear = document.createElement("event-stream")
    this.ear.setAttribute("topics", topic)
    document.body.append(this.ear)
  }

  // The run as its record has it: after a gap, or when it waited and somebody went on with it elsewhere.
  async sync() {
    const run = this.id
    if (!run || this.active) return
    const reply = await fetch(`${this.host.dataset.url}/tries/${run}/states`, { headers: { Accept: "application/json" } }).catch(() => null)
    if (!reply?.ok || run !== this.id || this.active) return
    const { states } = await reply.json()
    if (run !== this.id || this.active) return
    for (const [id, step] of this.steps) if (!states[id] && step.status !== "queued") this.steps.delete(id)
    for (const [id, state] of Object.entries(states)) this.steps.set(id, { ...this.steps.get(id), place: "", ...state })
    this.dressAll()
    this.drawer.load()
    this.host.panel.refresh()
  }

  // --- the end

  // `why`: what the server says where nothing began: {node, field, problems}.
  over(status, words, why = {}) {
    this.active = false
    this.host.overlay.flowing([])
    for (const [id, step] of this.steps) {
      if (["queued", "running", "retrying", "paused"].includes(step.status)) {
        if (status === "failed" && !this.id) this.steps.delete(id)
        else step.status = status === "succeeded" || status === "failed" ? "skipped" : "cancelled"
      }
    }
    this.talk.end(status, words, this.kind === "chat")
    this.dressAll()
    this.controls()
    this.drawer.now()
    this.host.say(status === "succeeded" ? t`Run done` : `${ENDED[status]}: ${words}`)
    if (status === "failed") this.failed(why)
    if (this.id && ["form", "input"].includes(this.kind)) this.face.ended()
  }

  // The record knows which setting, or which field of the form, was at fault.
  async failed(why) {
    const first = why.problems?.[0] ?? why
    if (first.node) return this.host.jump(first.node, first.field)
    await this.sync()
    const start = this.host.panel.el.querySelector(".face")?.dataset.start
    const { error } = this.steps.get(start) ?? {}
    if (error?.field) this.face.refuse(error)
  }

  controls() {
    const { el } = this.host.panel
    for (const stop of el.querySelectorAll("[data-stop]")) stop.hidden = !this.active
    for (const send of el.querySelectorAll("form[data-try] [type=submit], [data-same]")) send.toggleAttribute("disabled", this.active)
    this.host.dataset.running = this.active ? "yes" : "no"
  }
}
