// What panels leave free of the view, in view pixels; and how the view follows when that becomes another.

import { rtl } from "../words.js"

const READABLE = 0.65 // zoom from which the name of a step can be read without leaning in
const NARROW = 600 // px; below, a whole flow is rarely readable at once
const BARS = 72 // px at the bottom that floating bars stand in

export class Room {
  constructor(host, view) {
    Object.assign(this, { host, view, was: null, lent: null })
  }

  // Where one begins to read, the rail and the palette; at the other side a panel that lies over the canvas; at the
  // bottom one that came up as a sheet.
  free() {
    const { host, view } = this
    const begin = 48 + (host.palette?.open && view.width > NARROW ? 264 : 0)
    const panel = host.part("panel")
    const box = host.getBoundingClientRect()
    let [end, bottom] = [0, 0]
    if (panel && !panel.hidden && getComputedStyle(panel).position === "absolute") {
      const over = panel.getBoundingClientRect()
      if (over.width >= box.width - 8) bottom = Math.max(0, box.bottom - (host.part("handle")?.getBoundingClientRect().top || over.top))
      else end = Math.max(0, rtl ? over.right - box.left : box.right - over.left)
    }
    const height = Math.max(120, view.height - bottom)
    return { left: rtl ? end : begin, width: Math.max(120, view.width - begin - end), height, foot: bottom ? 16 : Math.min(BARS, height / 4) }
  }

  // What is seen at first: everything; on a narrow screen, where nothing could be read then, the first steps.
  overview() {
    const { host, view } = this
    if (!view.width) return (view.pendingFit = () => this.overview())
    host.fit(true)
    view.auto = () => this.overview()
    const first = host.graph.ordered().find((node) => !node.note)
    if (view.width >= NARROW || view.k >= READABLE || !first) return
    const { left, width, height, foot } = this.free()
    const whole = host.graph.bounds([...host.graph.nodes.values()].filter((node) => !node.away))
    const along = (from, to, at, start, length) => ((to - from) * READABLE <= length - 32 ? start + (length - (to - from) * READABLE) / 2 - from * READABLE : start + 16 - at * READABLE)
    view.k = READABLE
    view.x = along(whole.x1, whole.x2, first.ax, left, width)
    view.y = along(whole.y1, whole.y2, first.ay, 8, height - foot)
    view.settle()
    view.draw()
  }

  // The window or a panel became another one. Nobody has moved the view yet: shown as at first. A phone was turned, or
  // nothing would be seen: the same. Else what was looked at stays in sight, and goes back when the room comes back.
  refit(before = { width: this.view.width }) {
    const { host, view } = this
    const [was, now] = [this.was, this.free()]
    this.was = now
    if (!was || !view.width) return
    if (view.auto) return view.auto()
    const ratio = view.width / before.width
    if (ratio < 0.6 || ratio > 1.7 || !this.seen()) return this.overview()
    if (now.width < was.width - 8 || now.height < was.height - 8) this.lend(was, now)
    else if (this.lent && (now.width > was.width + 8 || now.height > was.height + 8)) this.giveBack()
    host.view.draw()
  }

  // Whether anything of the flow is in the view.
  seen() {
    const on = this.view.window()
    return [...this.host.graph.nodes.values()].some((n) => !n.away && n.ax < on.x2 && n.ax + n.w > on.x1 && n.ay < on.y2 && n.ay + n.h > on.y1)
  }

  // Steps that were seen whole stay so, as long as they can be read: the view moves, at most comes out a little.
  lend(was, now) {
    const { host, view } = this
    const { x, y } = view
    const [left, top, right, bottom] = [(was.left - x) / view.k, -y / view.k, (was.left + was.width - x) / view.k, (was.height - y) / view.k]
    const whole = [...host.graph.nodes.values()].filter((n) => !n.away && n.ax >= left && n.ay >= top && n.ax + n.w <= right && n.ay + n.h <= bottom)
    const held = this.lent ?? { before: { x, y, k: view.k } }
    const box = host.graph.bounds(whole)
    if (!box || view.level === "far") return
    const k = Math.min(view.k, (now.width - 48) / (box.x2 - box.x1), (now.height - now.foot - 24) / (box.y2 - box.y1))
    if (k >= Math.min(READABLE, view.k)) {
      if (k < view.k) view.zoom(k / view.k, now.left + now.width / 2, now.height / 2)
      view.show(box)
    } else {
      const one = host.graph.nodes.get(host.panel.node || [...host.selection][0] || host.keys.at)
      if (whole.includes(one)) view.show({ x1: one.ax, y1: one.ay, x2: one.ax + one.w, y2: one.ay + one.h })
    }
    this.lent = { before: held.before, to: { x: view.x, y: view.y, k: view.k } }
  }

  // Unless somebody has looked elsewhere in the meantime.
  giveBack() {
    const { before, to } = this.lent
    const { view } = this
    this.lent = null
    if (view.x !== to.x || view.y !== to.y || view.k !== to.k) return
    Object.assign(view, before)
    view.settle()
  }
}
