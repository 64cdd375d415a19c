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
    this.hoverPath = new Shape(make("path", "overlay__hover", this.layer))
    this.pickedPath = new Shape(make("path", "overlay__picked", this.layer))
    this.wirePath = new Shape(make("path", "overlay__wire", this.layer))
    this.flows = make("g", "overlay__flows", this.layer)
    const rect = make("rect", "overlay__box", this.layer)
    rect.setAttribute("visibility", "hidden")
    this.box = {
      show: ({ x1, y1, x2, y2 }) => {
        for (const [name, value] of Object.entries({ x: x1, y: y1, width: x2 - x1, height: y2 - y1 })) rect.setAttribute(name, value)
        rect.setAttribute("visibility", "visible")
      },
      hide: () => rect.setAttribute("visibility", "hidden"),
    }
    this.guides = { x: new Guide(make("line", "overlay__guide", this.layer)), y: new Guide(make("line", "overlay__guide", this.layer)) }
    view.onframe.push(() => this.layer.setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.k})`))
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
  }
}

class Guide {
  constructor(line) {
    this.line = line
    this.set(null)
  }

  set(ends) {
    this.line.setAttribute("visibility", ends ? "visible" : "hidden")
    for (const [name, value] of Object.entries(ends ?? {})) this.line.setAttribute(name, value)
  }
}

class Shape {
  constructor(path) {
    this.path = path
    this.hide()
  }

  show(curve, look = "") {
    this.path.setAttribute("d", pathOf(curve))
    this.path.dataset.look = look
    this.path.setAttribute("visibility", "visible")
  }

  hide() {
    this.path.setAttribute("visibility", "hidden")
  }
}
