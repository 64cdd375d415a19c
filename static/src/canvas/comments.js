// The count of open threads on each step's card. Everything else of comments is <flow-comments> (elements/flow-comments.js).

import { icon } from "./icon.js"
import { plural } from "../words.js"

export class Comments {
  constructor(host) {
    this.host = host
    this.counts = JSON.parse(host.part("comments")?.dataset.counts ?? "{}")
    this.heard = (e) => this.hear(e.detail)
  }

  start() {
    document.addEventListener("live", this.heard)
    this.draw()
  }

  stop() {
    document.removeEventListener("live", this.heard)
    clearTimeout(this.timer)
  }

  // Of the step that is selected or has the focus; of the whole flow without one.
  open(node) {
    return this.host.panel.page(`${this.host.dataset.url}/comments${node ? `?about=${node.id}` : ""}`)
  }

  hear({ type, topic }) {
    if (type !== "resync" && !(topic === this.host.live.topic && type.startsWith("comment."))) return
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.look(), 120)
  }

  async look() {
    const reply = await fetch(`${this.host.dataset.url}/comments/counts`, { headers: { Accept: "application/json" } }).catch(() => null)
    if (!reply?.ok) return
    this.counts = await reply.json()
    this.draw()
  }

  draw() {
    for (const old of this.host.world.querySelectorAll(".node__talk")) if (!this.counts[old.closest(".node").dataset.id]) old.remove()
    for (const id of Object.keys(this.counts)) this.adopted(this.host.graph.nodes.get(id)?.el)
    this.all()
  }

  // A step's card was rendered anew.
  adopted(el) {
    const number = this.counts[el?.dataset.id]
    const head = number && el.querySelector(".node__head")
    if (!head) return
    const words = plural(number, "{1} open thread", "{1} open threads")
    const badge = head.querySelector(".node__talk") ?? head.appendChild(this.badge(el.dataset.id))
    badge.lastChild.textContent = String(number)
    badge.setAttribute("aria-label", words)
    badge.dataset.tip = words
  }

  badge(id) {
    const made = Object.assign(document.createElement("button"), { type: "button", className: "node__talk", tabIndex: -1 })
    made.dataset.panelUrl = `${this.host.dataset.url}/comments?about=${id}`
    made.append(icon(this.host, "message-square"), document.createElement("span"))
    return made
  }

  all() {
    const sum = Object.values(this.counts).reduce((a, b) => a + b, 0)
    const word = this.host.part("comments")
    if (!word) return
    word.textContent = sum ? String(sum) : ""
    word.hidden = !sum
  }
}
