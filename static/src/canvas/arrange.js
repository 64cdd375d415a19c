// Where steps go when one asks for order. Pure: reads the graph, answers with places, moves nothing.
//
// Layers by distance from the start, order within a layer by the middle of what a step is wired to (so that few wires
// cross), then steps are pulled level with their neighbours. Containers and groups are laid out from the inside out.

import { GUTTER, portOf, snap } from "./graph.js"

const [ACROSS, DOWN] = [72, 32] // px between layers, between steps of a layer
const INSIDE = { left: 48, top: 72, right: 48, bottom: 48 } // room in a container around what lies in it
const SWEEPS = 6
const MOST_DUMMIES = 4000

// ids -> Map of id -> {x, y, w, h}: places relative to each step's parent, sizes for containers and groups that change.
export function arranged(graph, only = null) {
  const places = new Map()
  const wanted = only && new Set(only)
  const scopes = new Map()
  for (const n of graph.nodes.values()) {
    if (wanted && !wanted.has(n.id)) continue
    const scope = scopeOf(graph, n)
    const key = wanted && !wanted.has(scope) ? `${scope}*` : scope
    if (!scopes.has(key)) scopes.set(key, [])
    scopes.get(key).push(n)
  }
  const depth = (key) => (key.endsWith("*") ? -1 : depthOf(graph, key))
  for (const key of [...scopes.keys()].sort((a, b) => depth(b) - depth(a))) {
    const members = scopes.get(key)
    const scope = key.replace("*", "")
    const holder = key.endsWith("*") ? null : graph.nodes.get(scope)
    lay(graph, scope, members, holder, places)
  }
  for (const group of graph.groups()) {
    const at = places.get(group.id)
    for (const id of group.members) {
      const [place, node] = [places.get(id), graph.nodes.get(id)]
      if (!node || node.parent !== group.parent || !place?.inGroup) continue
      place.x += at?.x ?? group.x
      place.y += at?.y ?? group.y
    }
  }
  return places
}

const scopeOf = (graph, n) => graph.groupOf(n.id)?.id ?? n.parent

function depthOf(graph, id) {
  let depth = 0
  for (let at = graph.nodes.get(id); at; at = graph.nodes.get(scopeOf(graph, at))) depth++
  return depth
}

function lay(graph, scope, members, holder, places) {
  const sized = (n) => ({ id: n.id, w: places.get(n.id)?.w ?? n.w, h: (places.get(n.id)?.h ?? n.h) + n.extra, node: n })
  const steps = new Map(members.filter((n) => !n.note || n.group).map((n) => [n.id, sized(n)]))
  const notes = members.filter((n) => n.note && !n.group)
  if (!steps.size) return
  const links = linksOf(graph, scope, steps)
  const start = holder ? { x: INSIDE.left, y: INSIDE.top } : corner(steps)
  let y = start.y
  let right = start.x
  for (const part of components(steps, links)) {
    const layers = layered(part, links)
    settle(layers, links)
    let x = start.x
    let low = Infinity
    for (const s of part) low = Math.min(low, s.y)
    let deep = y
    for (const layer of layers) {
      let wide = 0
      for (const s of layer) {
        if (s.node) {
          places.set(s.id, { ...places.get(s.id), x: snap(x), y: snap(y + s.y - low), inGroup: Boolean(holder?.group) })
          deep = Math.max(deep, y + s.y - low + s.h)
        }
        wide = Math.max(wide, s.w)
      }
      x += wide + ACROSS
    }
    right = Math.max(right, x - ACROSS)
    y = deep + 2 * DOWN
  }
  for (const note of notes) follow(note, steps, places)
  if (!holder) return
  const w = snap(Math.max(right + INSIDE.right, 240))
  const h = snap(Math.max(y - 2 * DOWN + INSIDE.bottom, 160))
  if (w !== holder.w || h !== holder.h) places.set(holder.id, { ...places.get(holder.id), w, h })
}

// A note stays beside the step it was next to.
function follow(note, steps, places) {
  const far = (n) => Math.hypot(n.x + n.w / 2 - note.x - note.w / 2, n.y + n.h / 2 - note.y - note.h / 2)
  const [near] = [...steps.values()].map((s) => s.node).sort((a, b) => far(a) - far(b))
  const at = places.get(near.id)
  places.set(note.id, { x: note.x + at.x - near.x, y: note.y + at.y - near.y, inGroup: at.inGroup })
}

function corner(steps) {
  const all = [...steps.values()].map((s) => s.node)
  return { x: snap(Math.min(...all.map((n) => n.x))), y: snap(Math.min(...all.map((n) => n.y))) }
}

// Wires among members, and among what lies in them, as pairs of members; where they leave and arrive, from the top.
function linksOf(graph, scope, steps) {
  const lift = (id) => {
    for (let at = graph.nodes.get(id); at; at = graph.nodes.get(scopeOf(graph, at))) if (steps.has(at.id)) return steps.get(at.id)
    return null
  }
  const links = []
  for (const e of graph.edges.values()) {
    if (e.back) continue
    const [a, b] = [lift(e.from), lift(e.to)]
    if (!a || !b || a === b) continue
    const offset = (s, id, side, name) => (s.id === id ? (s.node.ports.find((p) => p.side === side && p.name === name)?.y ?? s.h / 2) : s.h / 2)
    links.push({ a, b, out: offset(a, e.from, "out", portOf(e.source)), into: offset(b, e.to, "in", portOf(e.target)) })
  }
  return links
}

// Parts that no wire joins, in the order they lie now.
function components(steps, links) {
  const of = new Map([...steps.values()].map((s) => [s, s]))
  const find = (s) => {
    while (of.get(s) !== s) {
      of.set(s, of.get(of.get(s)))
      s = of.get(s)
    }
    return s
  }
  for (const { a, b } of links) of.set(find(a), find(b))
  const parts = new Map()
  for (const s of steps.values()) {
    const root = find(s)
    if (!parts.has(root)) parts.set(root, [])
    parts.get(root).push(s)
  }
  const top = (part) => Math.min(...part.map((s) => s.node.ay))
  return [...parts.values()].sort((a, b) => top(a) - top(b))
}

// Layers, with a dummy in every layer that a long wire passes, so that it gets a place between the steps.
function layered(part, links) {
  const inside = new Set(part)
  const mine = links.filter((l) => inside.has(l.a))
  const waiting = new Map(part.map((s) => [s, 0]))
  const next = new Map(part.map((s) => [s, []]))
  for (const l of mine) {
    next.get(l.a).push(l.b)
    waiting.set(l.b, waiting.get(l.b) + 1)
  }
  const at = new Map()
  const ready = part.filter((s) => !waiting.get(s))
  for (const s of ready) at.set(s, 0)
  while (ready.length) {
    const s = ready.shift()
    for (const b of next.get(s)) {
      at.set(b, Math.max(at.get(b) ?? 0, at.get(s) + 1))
      waiting.set(b, waiting.get(b) - 1)
      if (!waiting.get(b)) ready.push(b)
    }
  }
  for (const s of part) if (!at.has(s)) at.set(s, 0)
  // A start that only a late step needs stands just before it.
  for (const s of part) {
    if (mine.some((l) => l.b === s) || !next.get(s).length) continue
    at.set(s, Math.max(at.get(s), Math.min(...next.get(s).map((b) => at.get(b))) - 1))
  }
  const layers = []
  const put = (s, i) => (layers[i] ??= []).push(s)
  for (const s of [...part].sort((a, b) => a.node.ay - b.node.ay)) put(s, at.get(s))
  let dummies = 0
  for (const l of mine) {
    let from = l.a
    let out = l.out
    l.chain = []
    for (let i = at.get(l.a) + 1; i < at.get(l.b) && dummies < MOST_DUMMIES; i++, dummies++) {
      const dummy = { id: "", w: 0, h: 0, node: null }
      put(dummy, i)
      l.chain.push({ a: from, b: dummy, out, into: 0 })
      from = dummy
      out = 0
    }
    l.chain.push({ a: from, b: l.b, out, into: l.into })
  }
  return [...layers].map((layer) => layer ?? [])
}

// Order within the layers, then places down each layer. Sets s.y of every step.
function settle(layers, links) {
  const before = new Map()
  const after = new Map()
  const here = new Set(layers.flat())
  for (const { chain } of links) {
    for (const l of chain ?? []) {
      if (!here.has(l.a)) continue
      if (!after.has(l.a)) after.set(l.a, [])
      if (!before.has(l.b)) before.set(l.b, [])
      after.get(l.a).push(l)
      before.get(l.b).push(l)
    }
  }
  for (const layer of layers) stack(layer)
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const down = sweep % 2 === 0
    for (const layer of down ? layers : [...layers].reverse()) {
      for (const s of layer) {
        const ties = down ? before.get(s) : after.get(s)
        if (!ties?.length) s.rank = s.y + s.h / 2
        else s.rank = ties.reduce((sum, l) => sum + (down ? l.a.y + l.out - l.into : l.b.y + l.into - l.out), 0) / ties.length + s.h / 2
      }
      layer.sort((a, b) => a.rank - b.rank)
      pull(layer)
    }
  }
}

function stack(layer) {
  let y = 0
  for (const s of layer) {
    s.y = y
    y += s.h + DOWN
  }
}

// Each step as near as may be to where its wires want it, without covering the one above. The layer keeps its middle.
function pull(layer) {
  let y = -Infinity
  let drift = 0
  for (const s of layer) {
    const wish = s.rank - s.h / 2
    s.y = Math.max(wish, y)
    drift += s.y - wish
    y = s.y + s.h + (s.node ? DOWN : GUTTER)
  }
  const shift = layer.length ? drift / layer.length : 0
  for (const s of layer) s.y -= shift
}

// --- lining up what is selected. boxes: [{id, x, y, w, h}]; answers with [{id, x, y}].

export const ALIGN = {
  left: (all, b) => ({ x: Math.min(...all.map((o) => o.x)), y: b.y }),
  centre: (all, b) => ({ x: middle(all, "x", "w") - b.w / 2, y: b.y }),
  right: (all, b) => ({ x: Math.max(...all.map((o) => o.x + o.w)) - b.w, y: b.y }),
  top: (all, b) => ({ x: b.x, y: Math.min(...all.map((o) => o.y)) }),
  middle: (all, b) => ({ x: b.x, y: middle(all, "y", "h") - b.h / 2 }),
  bottom: (all, b) => ({ x: b.x, y: Math.max(...all.map((o) => o.y + o.h)) - b.h }),
}

function middle(all, from, size) {
  const low = Math.min(...all.map((o) => o[from]))
  const high = Math.max(...all.map((o) => o[from] + o[size]))
  return (low + high) / 2
}

export const aligned = (all, how) => all.map((b) => ({ id: b.id, ...ALIGN[how](all, b) }))

// Equal gaps between the first and the last, which stay.
export function distributed(all, way) {
  const [from, size] = way === "across" ? ["x", "w"] : ["y", "h"]
  const row = [...all].sort((a, b) => a[from] - b[from])
  const last = row.at(-1)
  const room = last[from] + last[size] - row[0][from] - row.reduce((sum, b) => sum + b[size], 0)
  const gap = room / Math.max(1, row.length - 1)
  let at = row[0][from]
  return row.map((b) => {
    const moved = { id: b.id, x: b.x, y: b.y, [from]: Math.round(at) }
    at += b[size] + gap
    return moved
  })
}
