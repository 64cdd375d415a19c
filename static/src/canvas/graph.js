// The cached copy of the flow's geometry: where steps lie, where their ports are, which wires join them.
// Filled from data attributes of server-rendered nodes; no layout is ever read. Coordinates are canvas pixels at zoom 1.

import { anchor, curve, pointOn, port, readPorts } from "./curve.js"
import { Grouping } from "./grouping.js"

export { anchor, box, curve, pathOf, pointOn, port } from "./curve.js"
export const SNAP = 8
export const GUTTER = 12 // transparent edge of a node's box, so that ports on the card's edge are not clipped

export const snap = (n) => Math.round(n / SNAP) * SNAP
export const nodeOf = (end) => end.slice(0, end.indexOf("."))
export const portOf = (end) => end.slice(end.indexOf(".") + 1)
export const edgeId = (source, target) => `${source}>${target}`

export class Graph extends Grouping(Object) {
  constructor(world) {
    super()
    this.world = world
    this.nodes = new Map()
    this.edges = new Map()
    this.wires = new Map() // node id -> Set of edges at it
    this.owners = null // step id -> the group it was put into; made when asked for
    this.dirty = true
  }

  load(edges) {
    this.nodes.clear()
    this.edges.clear()
    this.wires.clear()
    for (const el of this.world.querySelectorAll(":scope > .node")) this.adopt(el)
    for (const node of this.nodes.values()) this.put(node)
    this.refold()
    for (const [source, target] of edges) this.addEdge(source, target)
  }

  // Take an element (new, or the server's fresh rendering of a known node) into the cache.
  adopt(el) {
    const d = el.dataset
    const old = this.nodes.get(d.id)
    const node = old ?? { id: d.id, status: "", extra: 0 }
    Object.assign(node, {
      el,
      type: d.type,
      family: d.family,
      title: d.title,
      parent: d.parent ?? "",
      x: Number(d.x),
      y: Number(d.y),
      w: Number(d.w),
      h: Number(d.h),
      container: d.container === "yes",
      note: d.note === "yes",
      group: d.group === "yes",
      colour: d.colour ?? "",
      members: d.members ? JSON.parse(d.members) : [],
      folded: d.folded === "yes",
      sizable: d.sizable === "yes",
      off: d.disabled !== undefined,
      idle: d.problem ?? "", // what the foot of the card says while nothing runs; the server wrote it
      ports: readPorts(d.ports),
    })
    this.nodes.set(node.id, node)
    if (node.group || old?.group) this.owners = null
    el.style.width = `${node.w + 2 * GUTTER}px`
    el.style.height = `${node.h + node.extra + 2 * GUTTER}px`
    el.toggleAttribute("data-out", Boolean(node.out))
    return node
  }

  remove(id) {
    for (const child of this.childrenOf(id)) this.remove(child.id)
    for (const edge of [...(this.wires.get(id) ?? [])]) this.removeEdge(edge.id)
    this.nodes.get(id)?.el.remove()
    if (this.nodes.get(id)?.group) this.owners = null
    this.nodes.delete(id)
    this.wires.delete(id)
    this.dirty = true
  }

  childrenOf(id) {
    return [...this.nodes.values()].filter((node) => node.parent === id)
  }

  within(id, ancestor) {
    for (let at = this.nodes.get(id); at; at = this.nodes.get(at.parent)) if (at.id === ancestor) return true
    return false
  }

  // Absolute position: positions in the document are relative to the container a node lies in.
  origin(parent) {
    let x = 0
    let y = 0
    for (let at = this.nodes.get(parent); at; at = this.nodes.get(at.parent)) {
      x += at.x
      y += at.y
    }
    return { x, y }
  }

  depth(node) {
    let depth = 0
    for (let at = this.nodes.get(node.parent); at; at = this.nodes.get(at.parent)) depth++
    return depth
  }

  put(node) {
    const from = this.origin(node.parent)
    node.ax = from.x + node.x
    node.ay = from.y + node.y
    node.el.style.transform = `translate(${node.ax - GUTTER}px, ${node.ay - GUTTER}px)`
    for (const edge of this.wires.get(node.id) ?? []) this.route(edge)
    if (node.folded) this.rerouteMembers(node)
    if (node.container) for (const child of this.childrenOf(node.id)) this.put(child)
    this.dirty = true
  }

  place(node, x, y) {
    node.x = x
    node.y = y
    this.put(node)
  }

  size(node, w, h) {
    node.w = w
    node.h = h
    node.el.style.width = `${w + 2 * GUTTER}px`
    node.el.style.height = `${h + node.extra + 2 * GUTTER}px`
    for (const edge of this.wires.get(node.id) ?? []) this.route(edge)
    this.dirty = true
  }

  // Room below the card for an error strip; ports do not move.
  grow(node, extra) {
    if (node.extra === extra) return
    node.extra = extra
    node.el.style.height = `${node.h + extra + 2 * GUTTER}px`
    this.dirty = true
  }

  addEdge(source, target, at = null) {
    const id = edgeId(source, target)
    if (this.edges.has(id)) return
    const edge = { id, source, target, from: nodeOf(source), to: nodeOf(target) }
    if (!this.nodes.has(edge.from) || !this.nodes.has(edge.to)) return
    if (at === null || at >= this.edges.size) this.edges.set(id, edge)
    else {
      const rest = [...this.edges].slice(Math.max(at, 0))
      for (const [key] of rest) this.edges.delete(key)
      this.edges.set(id, edge)
      for (const [key, other] of rest) this.edges.set(key, other)
    }
    for (const end of [edge.from, edge.to]) {
      if (!this.wires.has(end)) this.wires.set(end, new Set())
      this.wires.get(end).add(edge)
    }
    this.route(edge)
  }

  removeEdge(id) {
    const edge = this.edges.get(id)
    if (!edge) return
    this.edges.delete(id)
    this.wires.get(edge.from)?.delete(edge)
    this.wires.get(edge.to)?.delete(edge)
    this.dirty = true
  }

  // A wire's source is an outer output, or an inner output of the container that the target lies in.
  route(edge) {
    const a = this.nodes.get(edge.from)
    const b = this.nodes.get(edge.to)
    if (!a || !b || a.ax === undefined || b.ax === undefined) return
    const out = port(a, "out", portOf(edge.source))
    const into = port(b, "in", portOf(edge.target))
    edge.type = out?.type ?? "any"
    edge.back = Boolean(into?.inside) // ends at the inner edge of the container it lies in: no loop
    edge.away = Boolean(a.away && a.away === b.away)
    Object.assign(edge, curve(anchor(a.away ?? a, a.away ? null : out, "out"), anchor(b.away ?? b, b.away ? null : into, "in")))
    this.dirty = true
  }

  // Upper-left and lower-right corner of what is given, or of everything; null when there is nothing.
  bounds(nodes = this.nodes.values()) {
    let box = null
    for (const n of nodes) {
      const [x2, y2] = [n.ax + n.w, n.ay + n.h + n.extra]
      if (!box) box = { x1: n.ax, y1: n.ay, x2, y2 }
      else {
        box.x1 = Math.min(box.x1, n.ax)
        box.y1 = Math.min(box.y1, n.ay)
        box.x2 = Math.max(box.x2, x2)
        box.y2 = Math.max(box.y2, y2)
      }
    }
    return box
  }

  // Deepest container whose ground covers the point, except `not` and what lies in it.
  containerAt(x, y, not = new Set()) {
    let found = null
    for (const node of this.nodes.values()) {
      if (!node.container || node.away || [...not].some((id) => this.within(node.id, id))) continue
      const inside = x >= node.ax && y >= node.ay && x <= node.ax + node.w && y <= node.ay + node.h
      if (inside && (!found || this.depth(node) > this.depth(found))) found = node
    }
    return found
  }

  nodeAt(x, y) {
    let found = null
    for (const n of this.nodes.values()) {
      if (n.away || x < n.ax || y < n.ay || x > n.ax + n.w || y > n.ay + n.h + n.extra) continue
      if (!found || this.layer(n) >= this.layer(found)) found = n
    }
    return found
  }

  edgeAt(x, y, reach) {
    let best = null
    let least = reach * reach
    for (const e of this.edges.values()) {
      if (e.away || x < e.left - reach || x > e.right + reach || y < e.top - reach || y > e.bottom + reach) continue
      for (let i = 0; i <= 24; i++) {
        const p = pointOn(e, i / 24)
        const far = (p.x - x) ** 2 + (p.y - y) ** 2
        if (far < least) {
          least = far
          best = e
        }
      }
    }
    return best
  }

  // Steps in the order they run (sources first); steps of a loop, if any, at the end in document order.
  ordered() {
    const waiting = new Map()
    for (const id of this.nodes.keys()) waiting.set(id, 0)
    for (const e of this.edges.values()) if (!e.back) waiting.set(e.to, waiting.get(e.to) + 1)
    const byPlace = (a, b) => a.ay - b.ay || a.ax - b.ax
    const ready = [...this.nodes.values()].filter((n) => !waiting.get(n.id)).sort(byPlace)
    const done = []
    const seen = new Set()
    while (ready.length) {
      const node = ready.shift()
      if (seen.has(node.id)) continue
      seen.add(node.id)
      done.push(node)
      const next = []
      for (const e of this.wires.get(node.id) ?? []) {
        if (e.from !== node.id || e.back) continue
        waiting.set(e.to, waiting.get(e.to) - 1)
        if (!waiting.get(e.to)) next.push(this.nodes.get(e.to))
      }
      ready.unshift(...next.sort(byPlace))
    }
    for (const node of this.nodes.values()) if (!seen.has(node.id)) done.push(node)
    return done.filter((node) => !node.away)
  }

  // The levels around a level, innermost first, the flow itself ("") last.
  levels(level) {
    const found = []
    while (level) found.push((level = this.nodes.get(level)?.parent ?? ""))
    return found
  }

  // Whether a wire from -> to would close a loop. What enters a container keeps the container waiting, too.
  loops(from, to) {
    const waiting = (source, target) => {
      const around = new Set([source, ...this.levels(source)])
      return [target, ...this.levels(target).filter((level) => level && !around.has(level))]
    }
    const stack = waiting(from, to)
    const seen = new Set()
    while (stack.length) {
      const id = stack.pop()
      if (id === from) return true
      if (seen.has(id)) continue
      seen.add(id)
      for (const e of this.wires.get(id) ?? []) if (e.from === id && !e.back) stack.push(...waiting(id, e.to))
    }
    return false
  }
}
