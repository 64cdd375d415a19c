// Runs from the canvas: the test face sends an input, step events set states on the cards, text shows while it comes.
// States are data attributes and texts of elements that are there already; no markup is built from what a run says.

import { csrf } from "./outbox.js"
import { Again } from "./runs-again.js"
import { Breaks } from "./runs-breaks.js"
import { Heat } from "./runs-heat.js"
import { Pins } from "./runs-pins.js"
import { stream } from "./runs-stream.js"
import { markup } from "./swap.js"

const WORDS = {
  queued: ["circle-dashed", "Queued"],
  running: ["loader-circle", "Running"],
  retrying: ["rotate-cw", "Trying again"],
  waiting: ["hand", "Needs you"],
  paused: ["circle-pause", "Paused here"],
  sleeping: ["clock", "Waits"],
  succeeded: ["check", "Done"],
  failed: ["circle-alert", "Failed"],
  skipped: ["minus", "Skipped"],
  cancelled: ["ban", "Cancelled"],
  in_doubt: ["circle-question-mark", "In doubt"],
}
const WAITS = { breakpoint: "paused", clock: "sleeping", person: "waiting" }
const STRIP = 68 // px of the error strip below a card
const ENDS = ["run.succeeded", "run.failed", "run.cancelled", "run.in_doubt"]

export class Runs extends Again(Object) {
  constructor(host) {
    super()
    this.host = host
    this.listen()
    this.pins = new Pins(host, (name) => this.icon(name))
    this.breaks = new Breaks(host, (name) => this.icon(name))
    this.heat = new Heat(this)
    this.id = host.dataset.run ?? ""
    this.active = false
    this.steps = new Map()
    this.dirty = new Set()
    this.talk = []
    const last = host.querySelector("script.last-run")
    if (last) for (const [id, step] of Object.entries(JSON.parse(last.textContent))) this.steps.set(id, step)
    host.view.onframe.push(() => this.flows())
    if (this.id && new URLSearchParams(location.search).get("run") === this.id) this.drawer()
  }

  // A wire has carried something when its source is done and its target was not skipped.
  carried(edge) {
    return this.steps.get(edge.from)?.status === "succeeded" && this.steps.get(edge.to)?.status !== "skipped"
  }

  flows() {
    if (!this.active) return
    const now = []
    for (const [id, step] of this.steps) {
      if (step.status !== "running") continue
      for (const e of this.host.graph.wires.get(id) ?? []) if (e.to === id && this.steps.get(e.from)?.status === "succeeded") now.push(e)
    }
    this.host.overlay.flowing(now)
  }

  // --- what a card shows

  dress(node) {
    const step = node && this.steps.get(node.id)
    if (!node || node.note) return
    this.pins.badge(node)
    this.breaks.badge(node)
    this.heat.dress(node, step)
    const { el } = node
    const status = step?.status ?? ""
    node.status = status
    // Nothing ran and nothing did before: the card says already what the server wrote on it.
    if (!status && !el.dataset.status && node.idle === (el.dataset.problem ?? "")) return
    node.idle = status ? null : (el.dataset.problem ?? "")
    if (el.dataset.status !== status) {
      if (status) el.dataset.status = status
      else delete el.dataset.status
    }
    const state = el.querySelector(".node__state")
    const figures = el.querySelector(".node__figures")
    if (!state) return
    if (!status) {
      state.replaceChildren(el.dataset.problem || el.dataset.kind)
      figures.textContent = ""
      this.strip(node, null)
      return
    }
    const [icon, word] = WORDS[status] ?? WORDS.queued
    state.replaceChildren(this.icon(icon), step.word ?? word)
    figures.textContent = [step.rounds, time(step.ms), step.cost, this.heat.words(step)].filter(Boolean).join(" · ")
    const said = el.querySelector(".node__said")
    if (said) {
      const text = status === "running" ? tail(step.text ?? "") : ""
      said.textContent = text
      el.toggleAttribute("data-says", Boolean(text))
    }
    this.strip(node, status === "failed" ? step.error : null)
  }

  strip(node, error) {
    let strip = node.el.querySelector(".node__strip")
    if (!error) {
      strip?.remove()
      this.host.graph.grow(node, 0)
      return
    }
    if (!strip) {
      strip = document.createElement("div")
      strip.className = "node__strip"
      strip.append(document.createElement("p"), document.createElement("button"))
      strip.lastChild.type = "button"
      strip.lastChild.textContent = "Open settings"
      strip.lastChild.dataset.jump = node.id
      node.el.querySelector(".node__card").append(strip)
    }
    strip.firstChild.textContent = error.message ?? String(error)
    strip.lastChild.dataset.field = error.field ?? ""
    this.host.graph.grow(node, STRIP)
  }

  icon(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg")
    svg.setAttribute("class", name === "loader-circle" ? "icon spin" : "icon")
    svg.setAttribute("aria-hidden", "true")
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use")
    use.setAttribute("href", `${this.host.dataset.sprite}#${name}`)
    svg.append(use)
    return svg
  }

  dressAll() {
    this.heat.measure()
    for (const node of this.host.graph.nodes.values()) this.dress(node)
    this.breaks.show()
    this.host.view.draw()
  }

  // --- start, stop

  clear() {
    this.steps.clear()
    this.id = ""
    clearTimeout(this.soon)
    this.soon = 0
    this.active = false
    this.host.overlay.flowing([])
    this.dressAll()
  }

  async submit(form) {
    if (this.active) return
    let input
    const face = form.dataset.try
    if (face === "chat") {
      const box = form.querySelector("[data-say]")
      const message = box.value.trim()
      if (!message) return
      input = { message, history: this.talk.slice(-20), conversation: (this.conversation ??= crypto.randomUUID?.() ?? String(Date.now())) }
      this.bubble("user", message)
      this.talk.push({ role: "user", text: message })
      box.value = ""
    } else if (face === "form") input = Object.fromEntries([...form.querySelectorAll("[data-name]")].map((el) => [el.dataset.name, readInput(el)]))
    else {
      const area = form.querySelector("textarea")
      try {
        input = area ? JSON.parse(area.value || "{}") : {}
      } catch (problem) {
        const fault = form.querySelector(".field__error")
        fault.hidden = false
        fault.querySelector(".field__fault").textContent = `This is not JSON yet: ${problem.message}.`
        return
      }
    }
    await this.start(input, face)
  }

  async start(input, face) {
    await this.host.outbox.flush()
    this.leave()
    this.clear()
    this.began(face)
    for (const node of this.host.graph.nodes.values()) if (!node.note) this.steps.set(node.id, { status: "queued" })
    this.dressAll()
    this.host.say("Run started")
    const upto = this.upto ?? ""
    this.upto = ""
    const afresh = document.querySelector("[data-afresh]")?.checked ?? false
    const refused = await this.follow("/tries", { input, afresh, upto })
    if (refused) this.over("failed", refused.words, refused.problems)
  }

  began(face) {
    this.active = true
    this.face = face
    this.answer = this.bubble("assistant", "")
    this.text = ""
    this.controls()
  }

  // Until the run ends or waits. Gives why nothing began, else null.
  async follow(path, body) {
    const refused = await stream(this.host.dataset.url + path, body, (event) => this.take(event))
    if (!refused && this.active) this.over("cancelled", "The connection ended before the run did. Look under Runs for how it went on.")
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
    if (!this.active && this.breaks.paused) this.stop()
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
    for (const [id, step] of this.steps) if (!states[id] && step.status !== "queued") this.steps.delete(id)
    for (const [id, state] of Object.entries(states)) this.steps.set(id, { ...this.steps.get(id), place: "", ...state })
    this.dressAll()
    this.drawer()
    this.host.panel.refresh()
  }

  // --- one event of a run

  take(event) {
    if (event.run) this.id = event.run
    const { type, node } = event
    if (type.startsWith("run.")) return this.runEvent(event)
    const step = this.steps.get(node) ?? { status: "queued" }
    this.steps.set(node, step)
    if (type === "step.token") {
      step.text = (step.text ?? "") + event.text
      if (event.answer && this.answer) {
        this.text += event.text
        this.answer.textContent = this.text
      }
    } else if (type === "step.started") {
      Object.assign(step, { status: "running", at: performance.now(), text: event.attempt > 1 ? "" : step.text })
      if (event.iter) step.rounds = `round ${Number(String(event.iter).split(".").pop()) + 1 || event.iter}`
    } else if (type === "step.log") return this.log(event)
    else {
      step.status = type === "step.waiting" ? (WAITS[event.waits] ?? "waiting") : type.slice(5)
      step.place = step.status === "paused" ? (event.iter ? `${node}:${event.iter}` : node) : ""
      step.ms = (step.ms && event.iter ? step.ms : 0) + (event.ms ?? 0)
      step.cost = cost(event.usage, step)
      if (event.error) step.error = typeof event.error === "object" ? event.error : { message: event.error, field: event.field }
    }
    this.dirty.add(node)
    if (this.frame) return
    this.frame = requestAnimationFrame(() => {
      this.frame = 0
      for (const id of this.dirty) this.dress(this.host.graph.nodes.get(id))
      this.dirty.clear()
      this.breaks.show()
      this.host.view.draw()
      this.timeline()
      const log = this.host.panel.el.querySelector(".talk")
      if (log) log.scrollTop = log.scrollHeight
    })
  }

  // A line the step said, while it works: into its panel when that is open; on record it is read again later.
  log({ node, text, level = "info" }) {
    const { panel } = this.host
    if (panel.node !== node) return
    const list = panel.el.querySelector("[data-log]")
    const count = panel.el.querySelector("[data-log-count]")
    if (!list) return
    const line = document.createElement("li")
    line.className = `run-log__line run-log__line--${level}`
    for (const [part, words] of [["time", ""], ["level", level], ["text", text]]) {
      const span = document.createElement("span")
      span.className = `run-log__${part}`
      span.textContent = words
      line.append(span)
    }
    list.append(line)
    list.hidden = false
    panel.el.querySelector("[data-log-none]")?.setAttribute("hidden", "")
    count.hidden = false
    count.textContent = String(list.childElementCount)
  }

  runEvent(event) {
    if (event.type === "run.started") {
      return this.timeline()
    }
    if (event.type === "run.waiting") {
      this.active = false
      this.controls()
      this.host.overlay.flowing([])
      this.hear()
      const { paused } = this.breaks
      const words = paused ? `Paused before “${paused.title}”.` : "Waits for somebody’s answer. You find the question under “Needs you”."
      this.host.say(paused ? words : "The run waits for an answer")
      if (this.answer) this.answer.textContent = this.text || words
      this.breaks.show()
      if (paused && this.host.panel.node === paused.id) this.host.panel.refresh()
      return this.timeline(true)
    }
    if (event.type === "run.answered") {
      this.text ||= shown(event.output)
      if (this.answer) this.answer.textContent = this.text
      return this.host.say("Answered; the run goes on")
    }
    if (event.type === "run.undoing") {
      if (this.answer) this.answer.textContent = `${event.error ?? "A step failed."} What was done before is being taken back.`
      return this.host.say("The run takes back what it did")
    }
    if (!ENDS.includes(event.type)) return
    const output = event.output
    if (event.type === "run.succeeded") this.over("succeeded", this.text || shown(output), null, output)
    else this.over(event.type.slice(4), event.error?.message ?? event.error ?? "The run was stopped.")
  }

  over(status, words, problems = null, output = null) {
    this.active = false
    this.host.overlay.flowing([])
    for (const [id, step] of this.steps) {
      if (["queued", "running", "retrying", "paused"].includes(step.status)) {
        if (status === "failed" && !this.id) this.steps.delete(id)
        else step.status = status === "succeeded" || status === "failed" ? "skipped" : "cancelled"
      }
    }
    if (this.answer) {
      this.answer.textContent = words
      this.answer.parentElement.dataset.state = status
      if (status === "succeeded") this.talk.push({ role: "assistant", text: words })
      if (this.face === "chat") this.credit(this.answer.parentElement)
    }
    this.answer = null
    this.offer()
    this.dressAll()
    this.controls()
    this.timeline(true)
    this.host.say(status === "succeeded" ? "Run done" : `Run ${status.replace("_", " ")}: ${words}`)
    if (status === "failed") this.sync() // the record knows which setting was at fault
    const first = problems?.[0]
    if (first?.node) this.host.jump(first.node, first.field)
    if (status === "succeeded" && this.face !== "chat") this.result(output)
  }

  result(output) {
    const out = this.host.panel.el.querySelector("[data-result]")
    if (!out) return
    out.hidden = false
    out.querySelector("pre").textContent = shown(output)
  }

  // --- the talk

  // The face was drawn anew: what was said so far stands in it again.
  retell() {
    for (const { role, text } of this.talk) this.bubble(role, text)
    this.offer()
  }

  forget() {
    this.talk = []
    this.conversation = undefined
  }

  // The last question can be said otherwise; the talk then goes on from before it.
  offer() {
    const { el } = this.host.panel
    el.querySelector("[data-edit-said]")?.remove()
    const last = [...el.querySelectorAll(".talk__turn--user")].at(-1)
    if (!last || this.active) return
    const edit = document.createElement("button")
    edit.type = "button"
    edit.className = "talk__edit"
    edit.dataset.editSaid = ""
    edit.textContent = "Edit and send again"
    last.append(edit)
  }

  unsay() {
    if (this.active) return
    const { el } = this.host.panel
    const at = this.talk.findLastIndex((turn) => turn.role === "user")
    const box = el.querySelector("[data-say]")
    if (at < 0 || !box) return
    box.value = this.talk[at].text
    this.talk.length = at
    const turns = [...el.querySelectorAll(".talk__turn")]
    const last = turns.findLastIndex((turn) => turn.matches(".talk__turn--user"))
    for (const turn of turns.slice(last)) turn.remove()
    this.offer()
    box.focus()
  }

  // Which steps made the answer, each a way to what it got and gave.
  credit(turn) {
    const { graph } = this.host
    const ran = graph.ordered().filter((node) => ["succeeded", "failed"].includes(this.steps.get(node.id)?.status))
    if (!ran.length) return
    const line = document.createElement("p")
    line.className = "talk__steps"
    for (const node of ran) {
      const jump = document.createElement("button")
      jump.type = "button"
      jump.dataset.jump = node.id
      jump.textContent = node.title
      line.append(jump)
    }
    turn.append(line)
  }

  bubble(who, text) {
    const log = this.host.panel.el.querySelector(".talk")
    if (!log) return null
    const item = document.createElement("li")
    item.className = `talk__turn talk__turn--${who}`
    const words = document.createElement("p")
    words.textContent = text
    item.append(words)
    log.append(item)
    log.scrollTop = log.scrollHeight
    return words
  }

  controls() {
    const { el } = this.host.panel
    for (const stop of el.querySelectorAll("[data-stop]")) stop.hidden = !this.active
    for (const send of el.querySelectorAll("form[data-try] [type=submit]")) send.toggleAttribute("disabled", this.active)
    this.host.dataset.running = this.active ? "yes" : "no"
  }

  // The drawer, rendered by the server from the run's record; while it runs, from what we heard, at most twice a second.
  timeline(final = false) {
    const drawer = this.host.part("drawer")
    if (!drawer || !this.id) return
    if (final) {
      clearTimeout(this.soon)
      this.soon = 0
      return this.drawer()
    }
    if (this.soon || !this.active) return
    this.soon = setTimeout(() => {
      this.soon = 0
      if (this.active) this.drawer()
    }, 600)
  }

  async drawer() {
    const body = this.host.part("timeline")
    const run = this.id
    const reply = await fetch(`${this.host.dataset.url}/tries/${run}/timeline`, { headers: { Accept: "text/html" } }).catch(() => null)
    if (reply?.status !== 200 || run !== this.id || !body) return
    const fresh = markup(await reply.text())
    if (fresh) body.replaceChildren(fresh)
    this.host.part("drawer").hidden = false
  }
}

const tail = (text) => text.slice(-160)

export function time(ms) {
  if (ms === undefined || ms === null) return ""
  if (ms < 100) return `${Math.round(ms)} ms`
  return ms < 9950 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`
}

function cost(usage, step) {
  if (!usage) return step.cost ?? ""
  step.tokens = (step.tokens ?? 0) + (usage.prompt_tokens ?? 0) + (usage.completion_tokens ?? 0)
  const micros = (step.micros = (step.micros ?? 0) + (usage.cost_micros ?? 0))
  if (!micros) return usage.prompt_tokens || usage.completion_tokens ? "free" : (step.cost ?? "")
  return micros < 100 ? "< 0.01 ct" : micros < 100_000 ? `${(micros / 10_000).toFixed(2)} ct` : `$${(micros / 1_000_000).toFixed(2)}`
}

const shown = (output) => {
  if (output === null || output === undefined) return "Done, without an answer."
  if (typeof output === "string") return output
  if (typeof output.text === "string" && output.text) return output.text
  return JSON.stringify(output, null, 2)
}

function readInput(el) {
  if (el.type === "checkbox") return el.checked
  if (el.type === "number") return el.value === "" ? null : Number(el.value)
  return el.value
}
