// Wires: drawing them between typed ports, saying why one does not fit, taking them up again, cutting them.

import { anchor, curve, edgeId, nodeOf, pointOn, port as portOfNode, portOf } from "./graph.js"
import { rtl, t } from "../words.js"

const SNAP_TO = 24 // px on glass at which a wire jumps to a fitting port
const WORDS = {
  text: t`text`,
  number: t`a number`,
  yesno: t`yes or no`,
  object: t`an object`,
  list: t`a list`,
  file: t`a file`,
  image: t`an image`,
  audio: t`audio`,
  document: t`a document`,
  message: t`a message`,
  any: t`anything`,
}

export class Connect {
  constructor(host, graph, view) {
    Object.assign(this, { host, graph, view })
    this.tools = host.querySelector(".wire-tools")
    this.tools?.addEventListener("click", (e) => {
      const button = e.target.closest("button")
      const edge = this.shown
      if (!button || !edge) return
      if (button.name === "cut") this.cut(edge)
      else if (button.name === "insert") this.insert(edge)
    })
    view.onframe.push(() => this.placeTools())
  }

  // --- which ends fit

  typesFit(a, b) {
    return a === b || a === "any" || b === "any" || `${a}>${b}` in this.host.catalogue.fits
  }

  // null when the wire may be drawn, else the sentence that says why not.
  why(source, out, target, into) {
    if (source.id === target.id) return t`a step can't feed itself`
    const start = out.inside ? source.id : source.parent
    const goal = into.inside ? target.id : target.parent
    if (start !== goal && !this.graph.levels(goal).includes(start)) {
      return t`this would lead out of “${this.graph.nodes.get(start)?.title}”: wire that step's own output instead`
    }
    if (!this.typesFit(out.type, into.type)) return t`needs ${WORDS[into.type]}, this is ${WORDS[out.type]}`
    if (this.graph.edges.has(edgeId(`${source.id}.${out.name}`, `${target.id}.${into.name}`))) return t`this wire is already there`
    if (!into.inside && !out.inside && this.graph.loops(source.id, target.id)) {
      return t`these steps would feed each other in a loop: put the repetition in a “For each” step`
    }
    return null
  }

  // `from` is the end held fast: {node, port, side}. The other end is an input when that is an output, and the reverse.
  whyWith(from, node, p) {
    return from.side === "out" ? this.why(from.node, from.port, node, p) : this.why(node, p, from.node, from.port)
  }

  fitting(from) {
    const side = from.side === "out" ? "in" : "out"
    const found = []
    for (const node of this.graph.nodes.values())
      for (const p of node.ports) if (p.side === side && !this.whyWith(from, node, p)) found.push({ node, port: p, side })
    return found
  }

  // --- drawing one

  start(el, at) {
    const node = this.graph.nodes.get(el.closest(".node").dataset.id)
    const side = el.dataset.side
    const p = portOfNode(node, side, el.dataset.port)
    if (!p) return null
    if (side === "in" && !p.many) {
      const taken = [...(this.graph.wires.get(node.id) ?? [])].find((e) => e.target === `${node.id}.${p.name}`)
      if (taken) return this.draw(this.end(taken.source, "out"), at, taken)
    }
    return this.draw({ node, port: p, side }, at, null)
  }

  end(text, side) {
    const node = this.graph.nodes.get(nodeOf(text))
    return { node, port: portOfNode(node, side, portOf(text)) ?? { name: portOf(text), type: "any", side, y: node.h / 2 }, side }
  }

  // `lifted`: the wire taken up by one end; put down nowhere, it is cut.
  draw(from, at, lifted) {
    const { host, view } = this
    const here = anchor(from.node, from.port, from.side)
    let target = null
    let refused = null
    return {
      update: (e, now) => {
        if (host.dataset.connecting === undefined) {
          host.dataset.connecting = ""
          host.lifted = lifted
          this.mark(from)
        }
        ;({ target, refused } = this.under(from, e, now))
        const there = target ? anchor(target.node, target.port, target.side) : now
        const look = target ? "fits" : refused ? "refused" : from.port.type
        host.overlay.wirePath.show(from.side === "out" ? curve(here, there) : curve(there, here), look)
        this.reason(refused ? refused.why : "", e)
        view.draw()
      },
      end: (e, now) => {
        if (target) this.join(from, target, lifted)
        else if (refused) this.offerConverter(from, refused, e, now, lifted)
        else if (lifted) host.edit.cut(lifted)
        else host.palette.quick({ from, at: now, x: e.clientX, y: e.clientY })
      },
      click: () => host.select([from.node.id]),
      after: () => {
        delete host.dataset.connecting
        host.lifted = null
        host.overlay.wirePath.hide()
        this.reason("")
        this.unmark()
        view.draw()
      },
    }
  }

  // The fitting port within reach, or the port the pointer is on with the reason why it does not fit.
  under(from, e, now) {
    const reach = SNAP_TO / this.view.k
    const side = from.side === "out" ? "in" : "out"
    let best = null
    let least = reach
    for (const node of this.graph.nodes.values()) {
      if (now.x < node.ax - reach || now.x > node.ax + node.w + reach) continue
      if (now.y < node.ay - reach || now.y > node.ay + node.h + reach) continue
      for (const p of node.ports) {
        if (p.side !== side) continue
        const a = anchor(node, p, side)
        const far = Math.hypot(a.x - now.x, a.y - now.y)
        if (far < least) {
          least = far
          best = { node, port: p, side }
        }
      }
      // Anywhere on a step with exactly one port that fits is good enough.
      if (!best && !node.container && this.graph.nodeAt(now.x, now.y) === node && node !== from.node) {
        const fit = node.ports.filter((p) => p.side === side && !this.whyWith(from, node, p))
        if (fit.length === 1) best = { node, port: fit[0], side }
      }
    }
    if (!best || best.node === from.node) return { target: null, refused: null }
    const why = this.whyWith(from, best.node, best.port)
    return why ? { target: null, refused: { ...best, why } } : { target: best, refused: null }
  }

  join(from, to, lifted = null) {
    const [out, into] = from.side === "out" ? [from, to] : [to, from]
    this.host.edit.connect(`${out.node.id}.${out.port.name}`, `${into.node.id}.${into.port.name}`, into.port, lifted)
    this.host.say(t`${out.node.title}, ${out.port.label} wired to ${into.node.title}, ${into.port.label}`)
  }

  offerConverter(from, refused, e, now, lifted) {
    this.host.say(`${refused.node.title}, ${refused.port.label}: ${refused.why}`)
    const [out, into] = from.side === "out" ? [from, refused] : [refused, from]
    this.host.palette.quick({ between: { out, into, lifted }, why: refused.why, at: now, x: e.clientX, y: e.clientY })
  }

  // Fitting ports grow and show their letter, the others fade. Only what is in view is touched.
  mark(from) {
    const seen = this.view.window(200)
    const side = from.side === "out" ? "in" : "out"
    for (const node of this.graph.nodes.values()) {
      if (node.ax > seen.x2 || node.ax + node.w < seen.x1 || node.ay > seen.y2 || node.ay + node.h < seen.y1) continue
      for (const el of node.el.querySelectorAll(".node__port")) {
        const p = portOfNode(node, el.dataset.side, el.dataset.port)
        const fits = p && p.side === side && !this.whyWith(from, node, p)
        el.dataset.fit = node === from.node && p === from.port ? "held" : fits ? "yes" : "no"
      }
    }
  }

  unmark() {
    for (const el of this.host.world.querySelectorAll("[data-fit]")) delete el.dataset.fit
  }

  reason(text, e) {
    const tip = this.host.querySelector(".wire-reason")
    if (!tip) return
    tip.hidden = !text
    if (!text) return
    tip.textContent = text
    const box = this.host.getBoundingClientRect()
    tip.style.transform = `translate(${e.clientX - box.left + 16}px, ${e.clientY - box.top + 16}px)`
  }

  // --- a step that is dragged over a wire goes in between

  // Only a step that has no wires yet: it would be torn out of its place otherwise.
  landing(node) {
    const free = node && !node.note && !node.container && !(this.graph.wires.get(node.id)?.size > 0) && this.view.level !== "far"
    const edge = free ? this.graph.edgeAt(node.ax + node.w / 2, node.ay + node.h / 2, 24) : null
    const fits = edge && edge.from !== node.id && edge.to !== node.id && this.between(edge, node)
    this.landed = fits ? { edge, ...fits } : null
    if (fits) this.host.overlay.hoverPath.show(edge)
    else if (!this.hovered) this.host.overlay.hoverPath.hide()
  }

  // The input and the output of a step by which it can stand in the middle of a wire.
  between(edge, node) {
    const [a, b] = [this.end(edge.source, "out"), this.end(edge.target, "in")]
    const into = node.ports.find((p) => p.side === "in" && !p.inside && this.typesFit(a.port.type, p.type))
    const out = node.ports.find((p) => p.side === "out" && !p.inside && this.typesFit(p.type, b.port.type))
    return into && out ? { into, out } : null
  }

  // --- wires under the pointer

  edgeUnder(at) {
    return this.view.level === "far" ? null : this.graph.edgeAt(at.x, at.y, 8 / this.view.k)
  }

  // undefined = leave as it is (the pointer is on the wire's own buttons)
  hover(at) {
    if (at === undefined) return
    const edge = at && this.host.dataset.connecting === undefined ? this.edgeUnder(at) : null
    if (edge === this.hovered) return
    this.hovered = edge
    this.host.toggleAttribute("data-on-wire", Boolean(edge))
    if (edge) this.host.overlay.hoverPath.show(edge)
    else this.host.overlay.hoverPath.hide()
    this.showTools()
  }

  grab(edge, at) {
    const near = (end) => Math.hypot(at.x - end.x, at.y - end.y) < 28 / this.view.k
    const click = () => this.pick(edge)
    if (!this.host.editable) return { click }
    if (near({ x: edge.x2, y: edge.y2 })) return { ...this.draw(this.end(edge.source, "out"), at, edge), click }
    if (near({ x: edge.x1, y: edge.y1 })) return { ...this.draw(this.end(edge.target, "in"), at, edge), click }
    return { click }
  }

  pick(edge) {
    this.host.select([])
    this.picked = edge
    this.host.overlay.pickedPath.show(edge)
    this.showTools()
    const name = (end) => this.graph.nodes.get(nodeOf(end)).title
    this.host.say(t`Wire from ${name(edge.source)} to ${name(edge.target)} selected. Delete removes it.`)
  }

  unpick() {
    if (!this.picked) return
    this.picked = null
    this.host.overlay.pickedPath.hide()
    this.showTools()
  }

  // The list of steps that fit, below the middle of the wire.
  insert(edge) {
    const at = pointOn(edge, 0.5)
    const { x, y, k } = this.view
    const box = this.host.getBoundingClientRect()
    this.host.palette.quick({ onto: edge, at, x: box.left + at.x * k + x + (rtl ? 26 : -26), y: box.top + at.y * k + y + 14 })
  }

  cut(edge) {
    this.host.edit.cut(edge)
    this.forget()
  }

  // After edits: hovered and picked wires may be elsewhere, or gone.
  forget() {
    for (const [what, path] of [
      ["hovered", "hoverPath"],
      ["picked", "pickedPath"],
    ]) {
      const edge = this[what]
      if (!edge) continue
      if (this.graph.edges.get(edge.id) === edge) this.host.overlay[path].show(edge)
      else {
        this[what] = null
        this.host.overlay[path].hide()
      }
    }
    this.showTools()
  }

  showTools() {
    this.shown = this.picked ?? this.hovered
    if (!this.tools) return
    this.tools.hidden = !this.shown || !this.host.editable
    this.placeTools()
  }

  placeTools() {
    if (!this.tools || this.tools.hidden || !this.shown) return
    const p = pointOn(this.shown, 0.5)
    const { x, y, k } = this.view
    this.tools.style.transform = `translate(${p.x * k + x}px, ${p.y * k + y}px) translate(-50%, -50%)`
  }

  // --- by keyboard: every wire that could start or end at this step

  list(node) {
    const found = []
    for (const p of node.ports.filter((each) => each.side === "out"))
      for (const to of this.fitting({ node, port: p, side: "out" })) found.push({ from: { node, port: p, side: "out" }, to })
    for (const p of node.ports.filter((each) => each.side === "in")) {
      const taken = [...(this.graph.wires.get(node.id) ?? [])].some((e) => e.target === `${node.id}.${p.name}`)
      if (taken && !p.many) continue
      for (const to of this.fitting({ node, port: p, side: "in" })) found.push({ from: { node, port: p, side: "in" }, to })
    }
    // What is missing comes first, what would replace a wire last.
    const rank = ({ from, to }) => {
      const end = from.side === "in" ? from : to
      const taken = [...(this.graph.wires.get(end.node.id) ?? [])].some((e) => e.target === `${end.node.id}.${end.port.name}`)
      return taken && !end.port.many ? 3 : end.port.required ? 0 : 1
    }
    return found.sort((a, b) => rank(a) - rank(b))
  }
}

export { WORDS }
