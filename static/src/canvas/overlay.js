// What floats above the wires while something is in the hand or under the pointer: one SVG, few elements.

import { pathOf } from "./graph.js"

const SVG = "http://www.w3.org/2000/svg"
const make = (name, cls, parent) => {
  const el = document.createElementNS(SVG, name)
  el.setAttribute("class", cls)
  parent.append(el)
  return el
}

export class Overlay {
  constructor(host, view) {
    this.host = host
    this.view = view
    this.svg = host.querySelector(".canvas__overlay")
    this.layer = make("g", "overlay", this.svg)
    const shown = () => this.place()
    this.hoverPath = new Shape(make("path", "overlay__hover", this.layer), shown)
    this.pickedPath = new Shape(make("path", "overlay__picked", this.layer), shown)
    this.wirePath = new Shape(make("path", "overlay__wire", this.layer), shown)
    this.flows = make("g", "overlay__flows", this.layer)
    const rect = make("rect", "overlay__box", this.layer)
    rect.setAttribute("visibility", "hidden")
    this.box = {
      show: ({ x1, y1, x2, y2 }) => {
        for (const [name, value] of Object.entries({ x: x1, y: y1, width: x2 - x1, height: y2 - y1 })) rect.setAttribute(name, value)
        rect.setAttribute("visibility", "visible")
        shown()
      },
      hide: () => rect.setAttribute("visibility", "hidden"),
    }
    const guide = () => new Guide(make("line", "overlay__guide", this.layer), shown)
    this.guides = { x: guide(), y: guide() }
    view.onframe.push(() => this.place())
  }

  // Only while something is to be seen: a change in here makes the browser put all cards of the page together anew.
  place() {
    const empty = !this.flows.firstChild && [...this.layer.children].every((el) => el === this.flows || el.getAttribute("visibility") === "hidden")
    const where = `translate(${this.view.x} ${this.view.y}) scale(${this.view.k})`
    if (empty || where === this.where) return
    this.where = where
    this.layer.setAttribute("transform", where)
  }

  // Dots that run along the wires on which data flows now; at most 40, more would say nothing.
  flowing(edges) {
    const wanted = new Map([...edges].slice(0, 40).map((e) => [e.id, e]))
    for (const el of [...this.flows.children]) if (!wanted.has(el.dataset.edge)) el.remove()
    const there = new Set([...this.flows.children].map((el) => el.dataset.edge))
    for (const [id, e] of wanted) {
      if (there.has(id)) {
        for (const path of this.flows.querySelector(`[data-edge="${CSS.escape(id)}"]`).children) path.setAttribute("d", pathOf(e))
        continue
      }
      const g = make("g", `flow flow--${e.type}`, this.flows)
      g.dataset.edge = id
      make("path", "flow__glow", g).setAttribute("d", pathOf(e))
      make("path", "flow__dots", g).setAttribute("d", pathOf(e))
    }
    this.place()
  }
}

class Guide {
  constructor(line, shown) {
    Object.assign(this, { line, shown })
    this.set(null)
  }

  set(ends) {
    this.line.setAttribute("visibility", ends ? "visible" : "hidden")
    for (const [name, value] of Object.entries(ends ?? {})) this.line.setAttribute(name, value)
    if (ends) this.shown()
  }
}

class Shape {
  constructor(path, shown) {
    Object.assign(this, { path, shown })
    this.hide()
  }

  show(curve, look = "") {
    this.path.setAttribute("d", pathOf(curve))
    this.path.dataset.look = look
    this.path.setAttribute("visibility", "visible")
    this.shown()
  }

  hide() {
    this.path.setAttribute("visibility", "hidden")
  }
}
