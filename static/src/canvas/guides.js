// While steps are dragged: the grid, and the edges and middles of what lies near, with a line that shows which.

import { snap } from "./graph.js"

const NEAR = 6 // px on glass
const [LOW, MID, HIGH] = [0, 0.5, 1]

export class Guides {
  // `moving`: the nodes in the hand; lines come from the others that are in view.
  constructor(host, moving) {
    this.host = host
    const seen = host.view.window(0)
    const ids = new Set(moving.map((n) => n.id))
    const inHand = (n) => [...ids].some((id) => host.graph.within(n.id, id))
    this.lines = { x: [], y: [] }
    for (const n of host.graph.nodes.values()) {
      if (n.away || n.ax > seen.x2 || n.ax + n.w < seen.x1 || n.ay > seen.y2 || n.ay + n.h < seen.y1 || inHand(n)) continue
      for (const part of [LOW, MID, HIGH]) {
        this.lines.x.push({ at: n.ax + n.w * part, from: n.ay, to: n.ay + n.h, part })
        this.lines.y.push({ at: n.ay + n.h * part, from: n.ax, to: n.ax + n.w, part })
      }
    }
  }

  // The box as the pointer wants it (absolute) -> how much further it should go to lie well. `free`: not at all.
  fit(box, dx, dy, free) {
    if (free) {
      this.hide()
      return { dx: Math.round(dx), dy: Math.round(dy) }
    }
    const x = this.nearest("x", box.x1 + dx, box.x2 - box.x1)
    const y = this.nearest("y", box.y1 + dy, box.y2 - box.y1)
    const goes = { dx: x ? dx + x.by : snap(box.x1 + dx) - box.x1, dy: y ? dy + y.by : snap(box.y1 + dy) - box.y1 }
    this.show(x, y, { x1: box.x1 + goes.dx, x2: box.x2 + goes.dx, y1: box.y1 + goes.dy, y2: box.y2 + goes.dy })
    return goes
  }

  nearest(axis, start, size) {
    let best = null
    let least = NEAR / this.host.view.k
    for (const line of this.lines[axis]) {
      for (const part of [LOW, MID, HIGH]) {
        const by = line.at - (start + size * part)
        if (Math.abs(by) >= least || (part === MID) !== (line.part === MID)) continue
        least = Math.abs(by)
        best = { by, line }
      }
    }
    return best
  }

  show(x, y, box) {
    const { guides } = this.host.overlay
    guides.x.set(x && { x1: x.line.at, x2: x.line.at, y1: Math.min(x.line.from, box.y1), y2: Math.max(x.line.to, box.y2) })
    guides.y.set(y && { y1: y.line.at, y2: y.line.at, x1: Math.min(y.line.from, box.x1), x2: Math.max(y.line.to, box.x2) })
  }

  hide() {
    this.host.overlay.guides.x.set(null)
    this.host.overlay.guides.y.set(null)
  }
}
