// What is drawn rather than built of elements: wires, grounds of containers, far-away boxes, the minimap.
// One path for each look; culled to the view. Colours are the page's roles, read when the mode changes.

import { Far, inView, stateColour } from "./far.js"

const TYPES = ["text", "number", "yesno", "object", "list", "file", "message", "any"]
const ROLES = [
  "surface-2",
  "surface-3",
  "text",
  "text-muted",
  "line",
  "line-strong",
  "accent",
  "success",
  "danger",
  "you",
  "you-fill",
  "you-soft",
  "info",
  "info-soft",
  "success-soft",
  "danger-soft",
]
// Grounds of groups by their colour (components/note/group.py).
const GROUNDS = { grey: "surface-3", yellow: "you-soft", blue: "info-soft", green: "success-soft", red: "danger-soft" }
const OVER = 128 // px the canvas of wires is larger than the view, on each side
const FAMILIES = ["start", "ai", "knowledge", "logic", "people", "data", "connect", "show", "note"]

export class Painter extends Far(Object) {
  constructor(host, graph, view) {
    super()
    Object.assign(this, { host, graph, view })
    this.ctx = host.wires.getContext("2d")
    this.map = host.minimap?.getContext("2d")
    this.mapAt = 0
    this.readColours()
    this.mode = matchMedia("(prefers-color-scheme: dark)")
    this.onmode = () => {
      this.readColours()
      view.draw()
    }
    this.mode.addEventListener("change", this.onmode)
    this.watch = new MutationObserver(this.onmode)
    this.watch.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "class", "data-mode"] })
    view.onframe.push(() => this.paint())
  }

  stop() {
    this.mode.removeEventListener("change", this.onmode)
    this.watch.disconnect()
    clearTimeout(this.mapTimer)
  }

  // Roles are light-dark() texts: an element that uses them as its colour tells what they mean now.
  readColours() {
    const probe = document.createElement("i")
    this.host.append(probe)
    const role = (name) => {
      probe.style.color = `var(--${name})`
      return getComputedStyle(probe).color
    }
    this.colour = Object.fromEntries(ROLES.map((name) => [name, role(name)]))
    this.port = Object.fromEntries(TYPES.map((type) => [type, role(`port-${type}`)]))
    for (const kind of ["image", "audio", "document"]) this.port[kind] = this.port.file // they are files
    this.family = Object.fromEntries(FAMILIES.map((f) => [f, { glyph: role(`fam-${f}`), soft: role(`fam-${f}-soft`) }]))
    this.font = getComputedStyle(this.host).fontFamily
    probe.remove()
  }

  paint() {
    const { view, host, ctx } = this
    if (this.pushed()) return this.paintMap()
    view.stale = false
    if (view.resized) {
      view.resized = false
      host.wires.width = Math.round((view.width + 2 * OVER) * view.dpr)
      host.wires.height = Math.round((view.height + 2 * OVER) * view.dpr)
    }
    host.wires.style.transform = "none"
    this.at = { x: view.x, y: view.y, k: view.k }
    const s = view.k * view.dpr
    ctx.setTransform(1, 0, 0, 1, 0, 0)
    ctx.clearRect(0, 0, host.wires.width, host.wires.height)
    ctx.setTransform(s, 0, 0, s, (view.x + OVER) * view.dpr, (view.y + OVER) * view.dpr)
    const seen = view.window(OVER + 40)
    this.grounds(ctx, seen)
    this.lines(ctx, seen)
    if (view.level === "far") this.boxes(ctx, seen)
    this.paintMap()
  }

  // The canvas is larger than the view by OVER on each side: as long as the view only moves within that, the canvas is
  // moved along and nothing is drawn.
  pushed() {
    const { view, at } = this
    if (!at || view.stale || view.resized || view.k !== at.k) return false
    const [dx, dy] = [view.x - at.x, view.y - at.y]
    if (Math.abs(dx) > OVER || Math.abs(dy) > OVER) return false
    const whole = (n) => Math.round(n * view.dpr) / view.dpr
    this.host.wires.style.transform = `translate(${whole(dx)}px, ${whole(dy)}px)`
    return true
  }

  grounds(ctx, seen) {
    for (const n of this.graph.groups()) {
      if (n.folded || !inView(n, seen)) continue
      ctx.beginPath()
      ctx.roundRect(n.ax, n.ay, n.w, n.h, 16)
      ctx.fillStyle = this.colour[GROUNDS[n.colour] ?? "surface-3"]
      ctx.globalAlpha = 0.6
      ctx.fill()
      ctx.globalAlpha = 1
    }
    const containers = [...this.graph.nodes.values()].filter((n) => n.container && inView(n, seen))
    containers.sort((a, b) => this.graph.depth(a) - this.graph.depth(b))
    for (const n of containers) {
      const look = this.family[n.family] ?? this.family.logic
      ctx.beginPath()
      ctx.roundRect(n.ax, n.ay, n.w, n.h, 16)
      ctx.fillStyle = look.soft
      ctx.globalAlpha = 0.55
      ctx.fill()
      ctx.globalAlpha = 1
    }
  }

  lines(ctx, seen) {
    const least = 1 / (this.view.k * this.view.dpr)
    const groups = new Map()
    const { run, lifted } = this.host
    for (const e of this.graph.edges.values()) {
      if (e.x1 === undefined || e.away || e === lifted) continue
      if (e.right < seen.x1 || e.left > seen.x2 || e.bottom < seen.y1 || e.top > seen.y2) continue
      const reached = !run?.active || run.carried(e)
      const key = reached ? e.type : "waiting"
      let group = groups.get(key)
      if (!group) groups.set(key, (group = []))
      group.push(e)
    }
    ctx.lineWidth = Math.max(2, least)
    for (const [key, edges] of groups) {
      ctx.beginPath()
      for (const e of edges) {
        ctx.moveTo(e.x1, e.y1)
        ctx.bezierCurveTo(e.cx1, e.y1, e.cx2, e.y2, e.x2, e.y2)
      }
      ctx.setLineDash(key === "waiting" ? [5, 6] : [])
      ctx.strokeStyle = key === "waiting" ? this.colour["line-strong"] : this.port[key]
      ctx.stroke()
    }
    ctx.setLineDash([])
  }

  // At most four times a second.
  paintMap() {
    if (!this.map || this.mapTimer) return
    const wait = 250 - (performance.now() - this.mapAt)
    this.mapTimer = setTimeout(
      () => {
        this.mapTimer = 0
        this.mapAt = performance.now()
        this.mapNow()
      },
      Math.max(0, wait),
    )
  }

  mapNow() {
    const { map, view, graph } = this
    const canvas = map.canvas
    const [w, h] = [150, 88]
    const dpr = view.dpr || 1
    if (canvas.width !== w * dpr) {
      canvas.width = w * dpr
      canvas.height = h * dpr
    }
    map.setTransform(dpr, 0, 0, dpr, 0, 0)
    map.clearRect(0, 0, w, h)
    const seen = view.window()
    const all = graph.bounds()
    const box = all
      ? {
          x1: Math.min(all.x1, seen.x1),
          y1: Math.min(all.y1, seen.y1),
          x2: Math.max(all.x2, seen.x2),
          y2: Math.max(all.y2, seen.y2),
        }
      : seen
    const k = Math.min((w - 8) / (box.x2 - box.x1), (h - 8) / (box.y2 - box.y1))
    const dx = (w - (box.x2 - box.x1) * k) / 2 - box.x1 * k
    const dy = (h - (box.y2 - box.y1) * k) / 2 - box.y1 * k
    this.mapScale = { k, dx, dy }
    for (const n of graph.nodes.values()) {
      if (n.away) continue
      const state = stateColour(n.status, this.colour)
      map.fillStyle = n.note && !n.group ? this.colour["you-fill"] : (state ?? this.colour["line-strong"])
      map.globalAlpha = n.group && !n.folded ? 0.18 : n.container ? 0.35 : state || n.note ? 1 : 0.6
      map.beginPath()
      map.roundRect(n.ax * k + dx, n.ay * k + dy, Math.max(2, n.w * k), Math.max(2, n.h * k), 2)
      map.fill()
    }
    map.globalAlpha = 1
    map.strokeStyle = this.colour.accent
    map.lineWidth = 1.5
    map.strokeRect(seen.x1 * k + dx, seen.y1 * k + dy, (seen.x2 - seen.x1) * k, (seen.y2 - seen.y1) * k)
  }
}
