// The verbs of editing: each makes operations, does them here at once, and hands them to the outbox.

import { Adding } from "./adding.js"
import { Detaching } from "./detaching.js"
import { edgeId, snap } from "./graph.js"
import { Ordering } from "./ordering.js"
import { plural, t } from "../words.js"

export class Edit extends Detaching(Ordering(Adding(Object))) {
  constructor(host, graph) {
    super()
    this.host = host
    this.graph = graph
  }

  // Do it here, then send it. `merge`: an edit of the same kind not sent yet is replaced (typing, arrow keys).
  run(ops, options = {}) {
    if (!ops.length || !this.host.editable) return
    this.host.view.auto = null
    for (const op of ops) this.apply(op)
    this.host.outbox.push(ops, options)
    if (!ops.every((op) => this.inside(op))) this.host.changed()
  }

  // Whether an operation changes nothing but what a step says of itself: nothing is drawn anew for each letter typed.
  inside(op) {
    return ["node.config", "node.policy", "note.text"].includes(op.op) && !this.graph.nodes.get(op.id)?.group
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
        if (node && !node.folded) graph.size(node, op.w ?? node.w, op.h ?? node.h)
        else if (node) node.el.dataset.full = `[${op.w}, ${op.h}]`
        break
      case "node.label":
        if (!node) break
        node.title = op.label || this.host.catalogue.types[node.type]?.title || node.title
        for (const el of node.el.querySelectorAll(".node__name")) el.textContent = node.title
        break
      case "node.policy":
        if (!node || op.disabled === undefined) break
        node.off = op.disabled
        node.el.toggleAttribute("data-disabled", op.disabled)
        if (op.disabled) node.el.setAttribute("aria-disabled", "true")
        else node.el.removeAttribute("aria-disabled")
        this.host.view.draw()
        break
      case "node.config":
        if (node?.group) this.host.groups.set(node, op.field, op.value)
        break
      case "note.text":
        break // the server's rendering follows
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
    if (use.settings?.members) el.dataset.members = JSON.stringify(use.settings.members)
    if (use.settings?.colour) el.dataset.colour = use.settings.colour
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

  connect(source, target, p, lifted = null) {
    const ops = lifted ? [{ op: "edge.delete", from: lifted.source, to: lifted.target }] : []
    for (const op of this.freeing(target, p)) if (!lifted || edgeId(op.from, op.to) !== lifted.id) ops.push(op)
    this.run([...ops, { op: "edge.add", from: source, to: target }])
  }

  cut(edge) {
    this.run([{ op: "edge.delete", from: edge.source, to: edge.target }])
    this.host.removed(t`Wire removed.`)
  }

  // After a drag: sent on drop, one batch for all that moved. `into`: the container under the pointer, `group` the
  // group there, `landed` the wire that the step was dropped on.
  moved(moving, into, group = null, landed = null) {
    const { graph } = this
    const ops = []
    for (const { node, x, y } of moving) {
      if (node.x === x && node.y === y) continue
      if (node.parent === into) ops.push({ op: "node.move", id: node.id, x: node.x, y: node.y })
      else {
        const origin = graph.origin(into)
        ops.push({ op: "node.reparent", id: node.id, parent: into, x: snap(node.ax - origin.x), y: snap(node.ay - origin.y) })
      }
      const last = ops[ops.length - 1]
      ops.push(...this.stretch(into, last.x + node.w, last.y + node.h))
    }
    if (ops.length) ops.push(...this.host.groups.membership(moving.map((m) => m.node), group))
    if (landed && ops.length) {
      const { edge, into: a, out: b } = landed
      const id = moving[0].node.id
      ops.push({ op: "edge.delete", from: edge.source, to: edge.target })
      ops.push({ op: "edge.add", from: edge.source, to: `${id}.${a.name}` }, { op: "edge.add", from: `${id}.${b.name}`, to: edge.target })
      this.host.say(t`${moving[0].node.title} put into the wire`)
    }
    this.run(ops)
  }

  // Selected steps without those that lie in another selected one; of groups, what they hold as well.
  tops(ids) {
    const all = this.graph.withMembers(ids)
    return [...all].filter((id) => ![...all].some((other) => other !== id && this.graph.within(id, other)))
  }

  nudge(dx, dy) {
    const top = this.tops(this.host.selection)
    const ops = top.map((id) => {
      const n = this.graph.nodes.get(id)
      return { op: "node.move", id, x: n.x + dx, y: n.y + dy }
    })
    this.run(ops, { merge: `nudge ${top.join(" ")}`, wait: 200 })
  }

  // Notes, groups and containers have a size of their own; a container is never smaller than what lies in it.
  sizeFor(node, w, h) {
    let [least_w, least_h] = node.container ? [240, 160] : [120, 64]
    for (const child of this.graph.childrenOf(node.id)) {
      least_w = Math.max(least_w, child.x + child.w + 16)
      least_h = Math.max(least_h, child.y + child.h + 40)
    }
    return { w: snap(Math.min(8000, Math.max(least_w, w))), h: snap(Math.min(8000, Math.max(least_h, h))) }
  }

  resize(node, w, h, options = {}) {
    if (node.folded) return
    const size = this.sizeFor(node, w, h)
    this.run([{ op: "node.resize", id: node.id, ...size }], options)
    if (options.merge) this.host.say(t`${size.w} by ${size.h}`)
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
    const top = ids.filter((id) => this.graph.nodes.has(id) && !ids.some((other) => other !== id && this.graph.within(id, other)))
    const names = top.map((id) => this.graph.nodes.get(id)?.title)
    if (!top.length) return
    const order = this.graph.ordered().map((n) => n.id)
    const next = order[order.indexOf(top[top.length - 1]) + 1] ?? order[order.indexOf(top[0]) - 1]
    this.host.select([])
    this.run(top.map((id) => ({ op: "node.delete", id, keep_chain: true })))
    if (next && this.graph.nodes.has(next)) this.host.focusNode(next)
    this.host.removed(names.length === 1 ? t`Step “${names[0]}” removed.` : plural(names.length, "{1} step removed.", "{1} steps removed."))
  }

  // A step that is switched off is skipped when the flow runs. All on again only when all were off.
  switch(ids) {
    const steps = ids.map((id) => this.graph.nodes.get(id)).filter((n) => n && !n.note)
    if (!steps.length) return
    const disabled = !steps.every((n) => n.off)
    this.run(steps.map((n) => ({ op: "node.policy", id: n.id, disabled })))
    const [{ title }, n] = [steps[0], steps.length]
    if (n === 1) this.host.say(disabled ? t`${title} switched off` : t`${title} switched on`)
    else this.host.say(disabled ? plural(n, "{1} step switched off", "{1} steps switched off") : plural(n, "{1} step switched on", "{1} steps switched on"))
    this.host.outbox.flush().then(() => this.host.panel.refresh())
  }

  // --- notes, and getting to a step

  // A note at the pointer or in the middle, ready to be written; or with this text.
  note(text = "") {
    const { host } = this
    const look = host.catalogue.types["note.note"]
    if (!look || !host.editable) return
    const at = host.pointer.rests ?? this.clearOf({ ...host.view.centre(), w: 240, h: 120 }, "")
    const id = this.newId()
    const node = { id, type: "note.note", version: look.version, x: snap(at.x), y: snap(at.y), w: 240, h: 120, settings: text ? { text } : {} }
    this.run([{ op: "node.add", node }])
    host.select([id], { open: false })
    host.focusNode(id)
    if (text) host.say(t`Note pasted`)
    else host.notes.write(this.graph.nodes.get(id))
  }

  // Enter or a double click: a note is written in place, everything else has settings.
  begin(node) {
    if (node.note && !node.group && this.host.editable) this.host.notes.write(node)
    else if (node.folded) this.host.groups.fold(node)
    else this.host.openPanel(node.id, true)
  }

  // Out of folded groups, so that it can be seen.
  reveal(id) {
    const away = this.graph.nodes.get(id)?.away
    if (away) this.host.groups.fold(away)
  }
}
