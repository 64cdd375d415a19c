// One event of a run after the other: what each step is at, what it said, how the run stands.

import { shown } from "./runs-talk.js"
import { number, t } from "../words.js"

const WAITS = { breakpoint: "paused", clock: "sleeping", person: "waiting" }
const FAILED = t`A step failed.`
const ENDS = ["run.succeeded", "run.failed", "run.cancelled", "run.in_doubt"]

export const Events = (Base) =>
  class extends Base {
    take(event) {
      if (event.run) this.id = event.run
      const { type, node } = event
      if (type.startsWith("run.")) return this.runEvent(event)
      if (type === "step.log") return this.log(event)
      const step = this.steps.get(node) ?? { status: "queued" }
      this.steps.set(node, step)
      if (type === "step.token") {
        step.text = (step.text ?? "") + event.text
        if (event.answer) this.talk.more(event.text)
      } else if (type === "step.started") {
        Object.assign(step, { status: "running", at: performance.now(), text: event.attempt > 1 ? "" : step.text })
        if (event.iter) step.rounds = t`round ${Number(String(event.iter).split(".").pop()) + 1 || event.iter}`
      } else {
        step.status = type === "step.waiting" ? (WAITS[event.waits] ?? "waiting") : type.slice(5)
        step.place = step.status === "paused" ? (event.iter ? `${node}:${event.iter}` : node) : ""
        step.ms = (step.ms && event.iter ? step.ms : 0) + (event.ms ?? 0)
        step.cost = cost(event.usage, step)
        if (event.error) step.error = typeof event.error === "object" ? event.error : { message: event.error, field: event.field }
      }
      this.dirty.add(node)
      this.frame ??= requestAnimationFrame(() => this.show())
    }

    // Everything that changed since the last picture, at once.
    show() {
      this.frame = null
      for (const id of this.dirty) this.dress(this.host.graph.nodes.get(id))
      this.dirty.clear()
      this.breaks.show()
      this.host.view.draw()
      this.drawer.soon()
      this.talk.scroll()
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
      const { host, talk } = this
      if (event.type === "run.started") return this.drawer.soon()
      if (event.type === "run.waiting") {
        this.active = false
        this.controls()
        host.overlay.flowing([])
        this.hear()
        const { paused } = this.breaks
        const words = paused ? t`Paused before “${paused.title}”.` : t`Waits for somebody’s answer. You find the question under “Needs you”.`
        host.say(paused ? words : t`The run waits for an answer`)
        talk.says(talk.text || words)
        this.breaks.show()
        if (paused && host.panel.node === paused.id) host.panel.refresh()
        return this.drawer.now()
      }
      if (event.type === "run.answered") {
        talk.text ||= shown(event.output)
        talk.says(talk.text)
        return host.say(t`Answered; the run goes on`)
      }
      if (event.type === "run.undoing") {
        talk.says(t`${event.error ?? FAILED} What was done before is being taken back.`)
        return host.say(t`The run takes back what it did`)
      }
      if (!ENDS.includes(event.type)) return
      if (event.type === "run.succeeded") this.over("succeeded", talk.text || shown(event.output))
      else this.over(event.type.slice(4), event.error?.message ?? event.error ?? t`The run was stopped.`)
    }
  }

function cost(usage, step) {
  if (!usage) return step.cost ?? ""
  step.tokens = (step.tokens ?? 0) + (usage.prompt_tokens ?? 0) + (usage.completion_tokens ?? 0)
  const micros = (step.micros = (step.micros ?? 0) + (usage.cost_micros ?? 0))
  if (!micros) return usage.prompt_tokens || usage.completion_tokens ? t`free` : (step.cost ?? "")
  return micros < 100 ? t`< ${number(0.01)} ct` : micros < 100_000 ? t`${number(micros / 10_000, 2)} ct` : `$${number(micros / 1_000_000, 2)}`
}
