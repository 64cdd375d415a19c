// What cards show of a run: state, figures, words while they come, the strip under a failed one, dots on the wires.
// States are data attributes and texts of elements that are there already; no markup is built from what a run says.
import { number, t } from "../words.js"

const WORDS = {
  queued: ["circle-dashed", t`Queued`],
  running: ["loader-circle", t`Running`],
  retrying: ["rotate-cw", t`Trying again`],
  waiting: ["hand", t`Needs you`],
  paused: ["circle-pause", t`Paused here`],
  sleeping: ["clock", t`Waits`],
  succeeded: ["check", t`Done`],
  failed: ["circle-alert", t`Failed`],
  skipped: ["minus", t`Skipped`],
  cancelled: ["ban", t`Cancelled`],
  in_doubt: ["circle-question-mark", t`In doubt`],
}
const STRIP = 68 // px of the error strip below a card

export const Cards = (Base) =>
  class extends Base {
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
        strip.append(document.createElement("p"))
        node.el.querySelector(".node__card").append(strip)
      }
      strip.firstChild.textContent = error.message ?? String(error)
      strip.replaceChildren(strip.firstChild, this.way(node, error))
      this.host.graph.grow(node, STRIP)
    }

    // What leads on from the error: a page, or the setting. The record knows more than what was told while it ran.
    way(node, { label, href, field }) {
      const way = document.createElement(href ? "a" : "button")
      way.textContent = label || t`Open settings`
      if (href) return Object.assign(way, { href })
      way.type = "button"
      way.dataset.jump = node.id
      way.dataset.field = field ?? ""
      return way
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
  }

const tail = (text) => text.slice(-160)

function time(ms) {
  if (ms === undefined || ms === null) return ""
  if (ms < 1) return t`< 1 ms`
  if (ms < 100) return t`${Math.round(ms)} ms`
  return ms < 9950 ? t`${number(ms / 1000, 1)} s` : t`${Math.round(ms / 1000)} s`
}
