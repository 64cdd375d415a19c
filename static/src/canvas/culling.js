// Large flows: only the steps near what is seen take part in layout and painting; the others are kept, put out of it.
// A thousand cards off screen cost the browser more than 10 ms a frame: each is a layer of paint of its own.

export const FROM = 150 // steps; a smaller flow is there as a whole, for the browser's own search and for screen readers
const AROUND = 240 // px on glass kept ready beside what is seen
const SPARE = 80 // px of these left when more is brought in

export class Culling {
  constructor(host, graph, view) {
    Object.assign(this, { host, graph, view, area: null })
    view.onframe.push(() => this.look())
  }

  look() {
    const { graph, view, host } = this
    const culls = graph.nodes.size >= FROM
    if (culls !== (host.dataset.culls !== undefined)) {
      host.toggleAttribute("data-culls", culls)
      this.area = null
      if (!culls) for (const node of graph.nodes.values()) this.put(node, false)
    }
    if (!culls || view.level === "far") return // far away all are drawn, and hidden as one
    if (!graph.dirty && this.area && within(view.window(SPARE), this.area)) return
    graph.dirty = false
    const area = (this.area = view.window(AROUND))
    for (const n of graph.nodes.values()) {
      const near = n.ax < area.x2 && n.ax + n.w > area.x1 && n.ay < area.y2 && n.ay + n.h + n.extra > area.y1
      this.put(n, !near && n.id !== host.keys.at) // the step that Tab leads to stays
    }
  }

  put(node, out) {
    if (node.out === out) return
    node.out = out
    node.el.toggleAttribute("data-out", out)
  }

  // Back into the page, to take the focus.
  need(node) {
    this.put(node, false)
  }
}

const within = (a, b) => a.x1 >= b.x1 && a.y1 >= b.y1 && a.x2 <= b.x2 && a.y2 <= b.y2
