// Steps brought into order: arranged, aligned, spaced. Each is one undoable edit; what one sees glides there.

import { aligned, arranged, distributed } from "./arrange.js"
import { plural, t } from "../words.js"

const GLIDE = 240 // ms that steps take to their new places
const MOST_GLIDING = 200

export const Ordering = (Base) =>
  class extends Base {
    // What is selected (two or more), else everything.
    arrange() {
      const { graph, host } = this
      const chosen = host.selection.size > 1 ? [...graph.withMembers(host.selection)] : null
      const ops = []
      for (const [id, place] of arranged(graph, chosen)) {
        const node = graph.nodes.get(id)
        if (place.x !== undefined && (place.x !== node.x || place.y !== node.y)) ops.push({ op: "node.move", id, x: place.x, y: place.y })
        if (place.w !== undefined && !node.folded) ops.push({ op: "node.resize", id, w: place.w, h: place.h })
      }
      this.glide(ops)
      host.say(ops.length ? t`Steps arranged` : t`Everything is in order already`)
    }

    align(ids, how) {
      this.line(aligned(this.boxes(ids), how))
      this.host.say(plural(ids.length, "{1} step aligned", "{1} steps aligned"))
    }

    distribute(ids, way) {
      this.line(distributed(this.boxes(ids), way))
      this.host.say(plural(ids.length, "{1} step has the same gaps", "{1} steps have the same gaps"))
    }

    // On one level only: absolute places, so that steps of different containers line up on the glass too.
    boxes(ids) {
      return ids
        .filter((id) => ids.every((other) => other === id || !this.graph.within(id, other)) && !ids.includes(this.graph.groupOf(id)?.id))
        .map((id) => this.graph.nodes.get(id))
        .map((n) => ({ id: n.id, x: n.ax, y: n.ay, w: n.w, h: n.h }))
    }

    line(places) {
      const ops = []
      for (const { id, x, y } of places) {
        const n = this.graph.nodes.get(id)
        const [dx, dy] = [Math.round(x - n.ax), Math.round(y - n.ay)]
        if (!dx && !dy) continue
        for (const each of this.graph.withMembers([id])) {
          const member = this.graph.nodes.get(each)
          ops.push({ op: "node.move", id: each, x: member.x + dx, y: member.y + dy })
        }
      }
      this.glide(ops)
    }

    // The edit is made at once; what one sees glides there, where that says something (DESIGN 5: 240 ms).
    glide(ops) {
      const { graph, host } = this
      const from = new Map(ops.filter((op) => op.op === "node.move").map((op) => [op.id, graph.nodes.get(op.id)]).map(([id, n]) => [id, { x: n.x, y: n.y }]))
      this.run(ops)
      if (!from.size || from.size > MOST_GLIDING || matchMedia("(prefers-reduced-motion: reduce)").matches) return
      const goal = new Map([...from.keys()].map((id) => [id, { x: graph.nodes.get(id).x, y: graph.nodes.get(id).y }]))
      const began = performance.now()
      const mine = (this.gliding = {})
      const tick = (now) => {
        const t = this.gliding === mine ? Math.min(1, (now - began) / GLIDE) : 1
        const ease = 1 - (1 - t) ** 3
        for (const [id, a] of from) {
          const [node, b] = [graph.nodes.get(id), goal.get(id)]
          if (node) graph.place(node, a.x + (b.x - a.x) * ease, a.y + (b.y - a.y) * ease)
        }
        host.view.draw()
        if (t < 1) requestAnimationFrame(tick)
      }
      tick(began)
    }
  }
