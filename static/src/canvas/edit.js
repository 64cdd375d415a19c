// The verbs of editing: each makes operations, does them here at once, and hands them to the outbox.

import { SNAP, edgeId, nodeOf, port as portOfNode, portOf, snap } from "./graph.js"

const GAP = 48

export class Edit {
  constructor(host, graph) {
    this.host = host
    this.graph = graph
  }

  // Do it here, then send it. `merge`: an edit of the same kind not sent yet is replaced (typing, arrow keys).
  run(ops, options = {}) {
    if (!ops.length || !this.host.editable) return
    this.host.view.auto = false
    for (const op of ops) this.apply(op)
    this.host.outbox.push(ops, options)
    this.host.changed()
  }

  // One operation on the cached copy. Lenient: what no longer fits is left out, the server's answer decides.
  apply(op) {
    const { graph } = this
    const node = graph.nodes.get(op.id)
    switch (op.op) {
      case "node.add":
        this.insert(op.node)
        break
      case "node.move":
        if (node) graph.place(node, op.x, op.y)
        break
      case "node.reparent":
        if (!node) break
        node.parent = op.parent
        node.el.dataset.parent = op.parent
        graph.place(node, op.x, op.y)
        break
      case "node.resize":
        if (node) graph.size(node, op.w ?? node.w, op.h ?? node.h)
        break
      case "node.label":
        if (!node) break
        node.title = op.label || this.host.catalogue.types[node.type]?.title || node.title
        for (const el of node.el.querySelectorAll(".node__name")) el.textContent = node.title
        break
      case "node.policy":
        if (node && op.disabled !== undefined) node.el.toggleAttribute("data-disabled", op.disabled)
        break
      case "note.text":
        if (node) for (const el of node.el.querySelectorAll(".node__text")) el.textContent = op.text
        break
      case "node.delete":
        if (node) graph.remove(op.id)
        break
      case "edge.add":
        graph.addEdge(op.from, op.to, op.at ?? null)
        break
      case "edge.delete":
        graph.removeEdge(edgeId(op.from, op.to))
        break
      case "flow.meta":
        if (op.name !== undefined) this.host.renamed(op.name)
        break
      case "flow.replace":
        this.host.resync()
    }
  }

  // The element of a new step is a copy of the server's rendering of its type; the server's own follows with the answer.
  insert(use) {
    if (this.graph.nodes.has(use.id)) return
    const template = this.host.templates.get(use.type) ?? this.host.templates.get("")
    const el = template.content.firstElementChild.cloneNode(true)
    el.id = `node-${use.id}`
    Object.assign(el.dataset, { id: use.id, type: use.type, x: use.x ?? 0, y: use.y ?? 0, parent: use.parent ?? "" })
    if (use.w) el.dataset.w = use.w
    if (use.h) el.dataset.h = use.h
    if (use.label) {
      el.dataset.title = use.label
      for (const name of el.querySelectorAll(".node__name")) name.textContent = use.label
    }
    this.host.world.append(el)
    this.graph.put(this.graph.adopt(el))
    this.host.adopted(el)
  }

  newId() {
    let id
    do id = `n${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`
    while (this.graph.nodes.has(id))
    return id
  }

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
    this.host.say(`${look.title} added`)
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

  connect(source, target, p, lifted = null) {
    const ops = lifted ? [{ op: "edge.delete", from: lifted.source, to: lifted.target }] : []
    for (const op of this.freeing(target, p)) if (!lifted || edgeId(op.from, op.to) !== lifted.id) ops.push(op)
    this.run([...ops, { op: "edge.add", from: source, to: target }])
  }

  cut(edge) {
    this.run([{ op: "edge.delete", from: edge.source, to: edge.target }])
    this.host.removed("Wire removed.")
  }

  // After a drag: sent on drop, one batch for all that moved. `into`: the container under the pointer.
  moved(moving, into) {
    const ops = []
    for (const { node, x, y } of moving) {
      if (node.x === x && node.y === y) continue
      if (node.parent === into) ops.push({ op: "node.move", id: node.id, x: node.x, y: node.y })
      else {
        const origin = this.graph.origin(into)
        ops.push({ op: "node.reparent", id: node.id, parent: into, x: snap(node.ax - origin.x), y: snap(node.ay - origin.y) })
      }
      const last = ops[ops.length - 1]
      ops.push(...this.stretch(into, last.x + node.w, last.y + node.h))
    }
    this.run(ops)
  }

  nudge(dx, dy) {
    const ids = [...this.host.selection]
    const top = ids.filter((id) => !ids.some((other) => other !== id && this.graph.within(id, other)))
    const ops = top.map((id) => {
      const n = this.graph.nodes.get(id)
      return { op: "node.move", id, x: n.x + dx, y: n.y + dy }
    })
    this.run(ops, { merge: `nudge ${top.join(" ")}`, wait: 200 })
  }

  // A container grows with what is put into it.
  stretch(parent, x2, y2) {
    const box = this.graph.nodes.get(parent)
    if (!box) return []
    const w = Math.max(box.w, snap(x2 + 40))
    const h = Math.max(box.h, snap(y2 + 48))
    return w === box.w && h === box.h ? [] : [{ op: "node.resize", id: parent, w, h }]
  }

  // Deleting keeps the chain: the server wires what came in to what went out and tells us the wires.
  remove(ids) {
    const top = ids.filter((id) => !ids.some((other) => other !== id && this.graph.within(id, other)))
    const names = top.map((id) => this.graph.nodes.get(id)?.title)
    if (!top.length) return
    const order = this.graph.ordered().map((n) => n.id)
    const next = order[order.indexOf(top[top.length - 1]) + 1] ?? order[order.indexOf(top[0]) - 1]
    this.host.select([])
    this.run(top.map((id) => ({ op: "node.delete", id, keep_chain: true })))
    if (next && this.graph.nodes.has(next)) this.host.focusNode(next)
    this.host.removed(names.length === 1 ? `Step “${names[0]}” removed.` : `${names.length} steps removed.`)
  }

  // Columns by distance from the start, one undoable batch. Containers keep their inside.
  arrange() {
    const { graph } = this
    const ops = []
    for (const parent of new Set([...graph.nodes.values()].map((n) => n.parent))) {
      const nodes = graph.ordered().filter((n) => n.parent === parent && !n.note)
      const column = new Map()
      for (const n of nodes) {
        let at = 0
        for (const e of graph.wires.get(n.id) ?? [])
          if (e.to === n.id && column.has(e.from)) at = Math.max(at, column.get(e.from) + 1)
        column.set(n.id, at)
      }
      const columns = []
      for (const n of nodes) (columns[column.get(n.id)] ??= []).push(n)
      let x = parent ? 48 : 0
      for (const each of columns) {
        const wanted = (n) => {
          const ins = [...(graph.wires.get(n.id) ?? [])].filter((e) => e.to === n.id)
          return ins.length ? ins.reduce((sum, e) => sum + graph.nodes.get(e.from).ay, 0) / ins.length : n.ay
        }
        each.sort((a, b) => wanted(a) - wanted(b))
        let y = parent ? 64 : 0
        for (const n of each) {
          if (n.x !== snap(x) || n.y !== snap(y)) ops.push({ op: "node.move", id: n.id, x: snap(x), y: snap(y) })
          y += n.h + 32
        }
        x += Math.max(...each.map((n) => n.w)) + 64
      }
    }
    this.run(ops)
    this.host.say(ops.length ? "Steps arranged" : "Everything is in order already")
  }
}
