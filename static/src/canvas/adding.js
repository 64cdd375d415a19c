// A new step: where it goes and which wires it gets.

import { SNAP, nodeOf, port as portOfNode, portOf, snap } from "./graph.js"
import { t } from "../words.js"

const GAP = 48

export const Adding = (Base) =>
  class extends Base {
    // Add a step: where asked, else right of the selected one, else in the middle of the view. Wires it when it fits.
    add(type, { at = null, from = null, onto = null, between = null, wire = true } = {}) {
      const look = this.host.catalogue.types[type]
      const chosen = this.host.selection.size === 1 ? this.graph.nodes.get([...this.host.selection][0]) : null
      const id = this.newId()
      const ops = []
      let place
      let parent = ""
      if (between) place = this.between(between.out.node, between.into.node, look)
      else if (onto) place = this.between(this.graph.nodes.get(onto.from), this.graph.nodes.get(onto.to), look)
      else if (at) {
        place = { x: at.x - (from?.side === "in" ? look.w : from ? 0 : look.w / 2), y: at.y - (from ? 64 : 20) }
        parent = this.graph.containerAt(at.x, at.y)?.id ?? ""
        if (from) parent = from.port.inside ? from.node.id : from.node.parent
      } else if (chosen && !chosen.note && !look.note) {
        place = { x: chosen.ax + chosen.w + GAP, y: chosen.ay }
        parent = chosen.parent
      } else {
        const middle = this.host.view.centre()
        place = { x: middle.x - look.w / 2, y: middle.y - look.h / 2 }
      }
      if (between || onto) parent = this.graph.nodes.get(between ? between.out.node.id : onto.from).parent
      if (onto) {
        const source = this.graph.nodes.get(onto.from)
        if (portOfNode(source, "out", portOf(onto.source))?.inside) parent = source.id
      }
      const clear = this.clearOf({ x: place.x, y: place.y, w: look.w, h: look.h }, parent)
      const origin = this.graph.origin(parent)
      const node = { id, type, version: look.version, x: snap(clear.x - origin.x), y: snap(clear.y - origin.y), parent }
      if (look.container) Object.assign(node, { w: look.w, h: look.h })
      ops.push({ op: "node.add", node })
      ops.push(...this.wiresFor(id, look, { from, onto, between, chosen: wire && !at && !look.note ? chosen : null }))
      ops.push(...this.stretch(parent, node.x + look.w, node.y + look.h))
      this.run(ops)
      this.host.select([id], { open: false })
      this.host.focusNode(id)
      this.host.say(t`${look.title} added`)
      return id
    }

    between(a, b, look) {
      return { x: (a.ax + a.w + b.ax) / 2 - look.w / 2, y: (a.ay + b.ay) / 2 }
    }

    // Move a new step down until it covers no other of its scope.
    clearOf(box, parent) {
      let { x, y } = box
      const others = [...this.graph.nodes.values()].filter((n) => n.parent === parent)
      for (let tries = 0; tries < 60; tries++) {
        const hit = others.find(
          (n) => x < n.ax + n.w + SNAP && x + box.w + SNAP > n.ax && y < n.ay + n.h + SNAP && y + box.h + SNAP > n.ay,
        )
        if (!hit) break
        y = hit.ay + hit.h + 24
      }
      return { x, y }
    }

    wiresFor(id, look, { from, onto, between, chosen }) {
      const { connect } = this.host
      const input = (type) => look.inputs.find((p) => !p.inside && connect.typesFit(type, p.type))
      const output = (type) => look.outputs.find((p) => !p.inside && connect.typesFit(p.type, type))
      const add = (source, target) => ({ op: "edge.add", from: source, to: target })
      if (onto) {
        const a = portOfNode(this.graph.nodes.get(onto.from), "out", portOf(onto.source))
        const b = portOfNode(this.graph.nodes.get(onto.to), "in", portOf(onto.target))
        const [into, out] = [input(a?.type ?? "any"), output(b?.type ?? "any")]
        const ops = []
        if (into && out) ops.push({ op: "edge.delete", from: onto.source, to: onto.target })
        if (into) ops.push(add(onto.source, `${id}.${into.name}`))
        if (into && out) ops.push(add(`${id}.${out.name}`, onto.target))
        return ops
      }
      if (between) {
        const { out, into, lifted } = between
        const [a, b] = [input(out.port.type), output(into.port.type)]
        const target = `${into.node.id}.${into.port.name}`
        const ops = lifted ? [{ op: "edge.delete", from: lifted.source, to: lifted.target }] : []
        ops.push(...this.freeing(target, into.port))
        ops.push(add(`${out.node.id}.${out.port.name}`, `${id}.${a.name}`), add(`${id}.${b.name}`, target))
        return ops
      }
      if (from?.side === "out") {
        const into = input(from.port.type)
        return into ? [add(`${from.node.id}.${from.port.name}`, `${id}.${into.name}`)] : []
      }
      if (from) {
        const out = output(from.port.type)
        const target = `${from.node.id}.${from.port.name}`
        return out ? [...this.freeing(target, from.port), add(`${id}.${out.name}`, target)] : []
      }
      // After the selected step: its first output that is not wired yet and fits.
      for (const p of chosen?.ports ?? []) {
        if (p.side !== "out" || p.inside) continue
        const end = `${chosen.id}.${p.name}`
        if ([...(this.graph.wires.get(chosen.id) ?? [])].some((e) => e.source === end)) continue
        const into = input(p.type)
        if (into) return [add(end, `${id}.${into.name}`)]
      }
      return []
    }

    // An input takes one wire unless it says otherwise: the new one replaces the old one.
    freeing(target, p) {
      if (p.many) return []
      return [...(this.graph.wires.get(nodeOf(target)) ?? [])]
        .filter((e) => e.target === target)
        .map((e) => ({ op: "edge.delete", from: e.source, to: e.target }))
    }
  }
