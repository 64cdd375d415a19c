// Who else is here: faces in the bar, a ring and a name on the steps they have selected. Nothing of it is stored: each
// tab says from time to time where it is, and forgets who falls silent.
import { t } from "../words.js"

const SAY_EVERY = 15_000
const GONE_AFTER = 40_000
const SOON = 250 // ms after the last change of the selection

export class People {
  constructor(host) {
    this.host = host
    this.others = new Map() // client -> {user, name, at: ids, seen}
    this.bar = host.part("people")
    this.heard = (e) => this.hear(e.detail)
    this.left = () => this.say({ gone: true })
    this.shown = () => (document.hidden ? this.left() : this.say())
  }

  start() {
    document.addEventListener("live", this.heard)
    document.addEventListener("visibilitychange", this.shown)
    addEventListener("pagehide", this.left)
    this.every = setInterval(() => this.tick(), SAY_EVERY)
    this.say()
  }

  stop() {
    document.removeEventListener("live", this.heard)
    document.removeEventListener("visibilitychange", this.shown)
    removeEventListener("pagehide", this.left)
    clearInterval(this.every)
    clearTimeout(this.soon)
  }

  tick() {
    if (!document.hidden) this.say()
    const before = this.others.size
    for (const [client, one] of this.others) if (performance.now() - one.seen > GONE_AFTER) this.others.delete(client)
    if (this.others.size !== before) this.draw()
  }

  // The selection changed: told when it rests, and only to somebody.
  moved() {
    if (!this.every || !this.others.size) return
    clearTimeout(this.soon)
    this.soon = setTimeout(() => this.say(), SOON)
  }

  say({ gone = false } = {}) {
    const { host } = this
    if (!host.outbox.client) return
    const at = [...host.selection].slice(0, 20)
    // keepalive: the last word is sent while the page goes away
    host.outbox.post("/presence", { client: host.outbox.client, at, gone }, { keepalive: true }).catch(() => null)
  }

  hear({ type, topic, data }) {
    const { host } = this
    if (type === "hello" && this.every) return this.say()
    if (topic !== host.live.topic || type !== "flow.here" || data.client === host.outbox.client) return
    const known = this.others.get(data.client)
    if (data.gone) this.others.delete(data.client)
    else this.others.set(data.client, { user: data.user, name: data.name, at: data.at, seen: performance.now() })
    if (!known && !data.gone) {
      this.say() // so that they see us without waiting
      if (![...this.others].some(([client, one]) => client !== data.client && one.user === data.user)) host.say(t`${data.name} is here`)
    }
    if (known && data.gone) host.say(t`${data.name} left`)
    if (!known || data.gone || String(known.at) !== String(data.at)) this.draw()
  }

  draw() {
    const people = new Map()
    for (const one of this.others.values()) people.set(one.user, one)
    this.bar?.replaceChildren(...[...people.values()].slice(0, 5).map((one) => this.face(one)))
    if (people.size > 5) this.bar?.append(Object.assign(document.createElement("span"), { className: "avatar", textContent: `+${people.size - 5}` }))
    const held = new Map()
    for (const one of this.others.values()) for (const id of one.at) held.set(id, one)
    for (const el of this.host.world.querySelectorAll("[data-by]")) if (!held.has(el.dataset.id)) this.let(el)
    for (const [id, one] of held) {
      const el = this.host.graph.nodes.get(id)?.el
      if (el) this.hold(el, one)
    }
  }

  hold(el, { name }) {
    el.dataset.by = name
    el.dataset.hue = hue(name)
  }

  let(el) {
    delete el.dataset.by
    delete el.dataset.hue
  }

  // A fresh rendering of a step keeps its ring.
  adopted(el) {
    for (const one of this.others.values()) if (one.at.includes(el.dataset.id)) this.hold(el, one)
  }

  face({ name, at }) {
    const el = document.createElement("button")
    el.type = "button"
    el.className = `avatar avatar--hue-${hue(name)}`
    el.dataset.initials = initials(name) // drawn by the style sheet: the name is the button's whole text
    el.setAttribute("aria-label", at.length ? t`${name} is here, show where` : t`${name} is here`)
    el.dataset.tip = name
    el.addEventListener("click", () => at[0] && this.host.focusNode(at[0]))
    return el
  }
}

// As the server draws them (templates/parts/status.html).
const hue = (name) => name.length % 6
function initials(name) {
  const words = name.split(/\s+/).filter(Boolean)
  return (words.length > 1 ? words[0][0] + words.at(-1)[0] : name.slice(0, 2)).toUpperCase()
}
