// The thumbs below the answer of a try: sent without leaving the editor. Without this script each is a form of its own.

import { t } from "../words.js"
import { markup } from "./swap.js"

export class Rating {
  constructor(runs) {
    this.host = runs.host
    this.said = new Map() // run -> the thumbs as they were answered last, for answers that are drawn anew
    this.host.part("panel").addEventListener("submit", (e) => this.submitted(e), true)
  }

  // Below an answer that has just come, or that is told again.
  below(turn, run) {
    if (!turn || !run) return
    const fresh = this.said.get(run)?.cloneNode(true) ?? this.host.panel.el.querySelector("[data-part=thumbs]")?.content.firstElementChild.cloneNode(true)
    if (!fresh) return
    fresh.dataset.rate = run
    for (const form of fresh.querySelectorAll("form")) form.setAttribute("action", form.getAttribute("action").replace("RUN", run))
    turn.append(fresh)
  }

  // The server drew it: as it is now it will be drawn again.
  known(thumbs) {
    if (thumbs) this.said.set(thumbs.dataset.rate, thumbs.cloneNode(true))
    return thumbs?.dataset.rate
  }

  submitted(e) {
    const thumbs = e.target.closest("[data-rate]")
    if (!thumbs) return
    e.preventDefault()
    e.stopPropagation() // the face around it sends something else
    this.send(thumbs, e.target)
  }

  async send(thumbs, form) {
    if (thumbs.getAttribute("aria-busy") === "true") return
    thumbs.setAttribute("aria-busy", "true")
    const headers = { "HX-Request": "true", "HX-Request-Type": "partial" }
    const reply = await fetch(form.getAttribute("action"), { method: "POST", headers, body: new URLSearchParams(new FormData(form)) }).catch(() => null)
    const fresh = reply?.ok ? markup(await reply.text()) : null
    thumbs.removeAttribute("aria-busy")
    if (!fresh?.matches?.("[data-rate]")) return this.host.toast(t`It could not be noted. Try again in a moment.`)
    const why = form.matches(".thumbs__why")
    this.known(fresh)
    thumbs.replaceWith(fresh)
    const next = fresh.querySelector(why ? ".thumbs__why button" : "[aria-pressed=true]") ?? fresh.querySelector("button")
    next.focus()
    this.host.say(t`Noted. The run keeps it.`)
  }
}
