// The tour: builds a first flow with the person's own hands on the real canvas. It never blocks anything: what is done is
// read off the flow itself, so one may do it in another order, leave, reload, and go on where the flow stands.
// Words: templates/studio/_tour.html. Whether it goes on is kept by the server for each person (app/studio/touring.py).

import { csrf } from "./outbox.js"
import { bare, t } from "../words.js"

const LOOK = 300 // ms between two looks at the flow
const PROMPT = `${bare(t`Answer in one friendly sentence:`)} {{ question }}`
const MOST_STEPS = 8 // a flow larger than this is not a first one

export class Tour {
  constructor(host) {
    this.host = host
    this.el = host.part("tour")
    this.ring = document.querySelector(".tour-ring")
    if (!this.el || !host.editable) return
    this.el.addEventListener("click", (e) => this.clicked(e))
    this.el.addEventListener("keydown", (e) => e.stopPropagation())
    document.addEventListener("open:tour", (this.asked = () => this.begin()))
  }

  stop() {
    clearInterval(this.timer)
    if (this.asked) document.removeEventListener("open:tour", this.asked)
  }

  async start() {
    if (!this.el || !this.host.editable || this.host.graph.nodes.size > MOST_STEPS) return
    const reply = await fetch(`/tour?flow=${this.host.dataset.flow}`, { headers: { Accept: "application/json" } }).catch(() => null)
    const known = reply?.ok ? await reply.json() : null
    if (!known || !this.el.isConnected) return
    if (known.state === "running" && known.here) this.run()
    else if (!known.state && !this.host.graph.nodes.size) this.offer()
  }

  // Once: who begins without it has answered, too.
  offer() {
    this.show("offer")
    this.timer = setInterval(() => this.host.graph.nodes.size && this.end("skipped"), LOOK)
  }

  begin() {
    this.tell("running")
    this.run(true)
  }

  run(focus = false) {
    clearInterval(this.timer)
    this.at = ""
    this.focus = focus
    this.timer = setInterval(() => this.look(), LOOK)
    this.look()
  }

  end(state) {
    clearInterval(this.timer)
    this.tell(state)
    const inside = this.el.contains(document.activeElement)
    this.el.hidden = true
    this.ring.hidden = true
    this.at = ""
    if (inside) this.host.world.focus()
    if (state === "skipped") this.host.say(t`Tour closed. It is always under Keys, the question mark.`)
  }

  tell(state) {
    fetch("/tour/state", { method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": csrf() }, body: JSON.stringify({ state, flow: this.host.dataset.flow }) }).catch(() => null)
  }

  // --- what is done

  node(type) {
    return [...this.host.graph.nodes.values()].find((node) => node.type === type) ?? null
  }

  wired(from, to) {
    return Boolean(from && to && [...this.host.graph.edges.values()].some((edge) => edge.from === from.id && edge.to === to.id && !edge.target.endsWith(".after")))
  }

  // The first thing that is not done yet.
  next() {
    const [chat, prompt, model, answer] = ["start.chat", "ai.prompt", "ai.chat", "show.answer"].map((type) => this.node(type))
    if (!chat) return "chat"
    if (!prompt) return "prompt"
    if (!prompt.ports.some((port) => port.side === "in" && port.name !== "after")) return "words"
    if (!this.wired(chat, prompt)) return "wire"
    if (!this.wired(prompt, model)) return "model"
    if (!this.wired(model, answer)) return "answer"
    return this.host.runs.steps.get(answer.id)?.status === "succeeded" ? "done" : "try"
  }

  look() {
    if (!this.el.isConnected) return this.stop()
    this.show(this.next())
  }

  // --- what is shown

  show(step) {
    const items = [...this.el.querySelectorAll("[data-step]")]
    const item = items.find((each) => each.dataset.step === step)
    if (this.at !== step) {
      this.at = step
      for (const each of items) each.hidden = each !== item
      const place = items.indexOf(item)
      const last = items.length - 1
      this.el.querySelector("[data-count]").textContent = step === "offer" || step === "done" ? "" : t`${place} of ${last - 1}`
      this.el.querySelector("progress").value = Math.max(0, place - 1) / (last - 1)
      this.el.querySelector(".tour__head [data-skip]").hidden = step === "offer" || step === "done"
      this.el.querySelector("[data-do]").parentElement.hidden = ["offer", "try", "done"].includes(step)
      this.el.hidden = false
      this.host.say(item.textContent.replace(/\s+/g, " ").trim())
      if (this.focus) item.querySelector(".tour__title").focus()
      this.focus = false
      if (step === "done") {
        clearInterval(this.timer)
        this.tell("done")
      }
    }
    this.point(item)
  }

  // A ring around the place where it is done. It is only a picture: aria-hidden, no clicks.
  point(item) {
    const target = this.target(item.dataset)
    const box = target?.getBoundingClientRect()
    this.ring.hidden = !box?.width || this.at === "done"
    if (this.ring.hidden) return
    const { style } = this.ring
    style.left = `${box.left - 5}px`
    style.top = `${box.top - 5}px`
    style.width = `${box.width + 10}px`
    style.height = `${box.height + 10}px`
  }

  target({ at, type }) {
    const { host } = this
    const palette = host.part("palette")
    if (at === "add") return (palette && !palette.hidden && [...palette.querySelectorAll(`[data-add="${type}"]`)].find((el) => el.offsetParent)) || document.querySelector(".rail__add")
    if (at === "try") return document.querySelector('[data-canvas="try"]')
    const node = this.node(type)
    if (!node) return null
    if (at === "prompt-field" && host.panel.node === node.id) return host.part("panel").querySelector("value-field")
    const ports = [...node.el.querySelectorAll('.node__port[data-side="out"]')]
    return at === "chat-port" ? (ports.find((port) => port.dataset.port === "message") ?? node.el) : node.el
  }

  // --- deeds

  clicked(e) {
    const button = e.target.closest("button")
    if (!button) return
    const { begin, skip, finish } = button.dataset
    if (begin !== undefined) this.begin()
    else if (skip !== undefined) this.end("skipped")
    else if (button.dataset.do !== undefined) this.doIt()
    else if (finish !== undefined) this.end("done") // "Publish" opens its panel besides (chrome.js)
  }

  // For whoever would rather watch: the same edits as by hand, each of them can be undone.
  async doIt() {
    const { host } = this
    const chat = this.node("start.chat")
    const prompt = this.node("ai.prompt")
    const model = this.node("ai.chat")
    const answer = this.node("show.answer")
    const after = (node, type) => {
      if (node) host.select([node.id], { open: false })
      host.edit.add(type)
    }
    const wire = (source, target) => host.edit.run([{ op: "edge.add", from: source, to: target }])
    switch (this.at) {
      case "chat":
        return after(null, "start.chat")
      case "prompt":
        return after(chat, "ai.prompt")
      case "words":
        host.edit.run([{ op: "node.config", id: prompt.id, field: "template", value: PROMPT }])
        return host.outbox.flush()
      case "wire":
        return wire(`${chat.id}.message`, `${prompt.id}.${prompt.ports.find((port) => port.side === "in" && port.name !== "after").name}`)
      case "model":
        return model ? wire(`${prompt.id}.text`, `${model.id}.message`) : after(prompt, "ai.chat")
      case "answer":
        return answer ? wire(`${model.id}.text`, `${answer.id}.text`) : after(model, "show.answer")
    }
  }
}
