// The pointer on the canvas: select, drag, box select, pan, pinch, and the wheel. One update a frame.

import { Guides } from "./guides.js"

const STILL = 4 // px a pointer may move and still be a click
const LONG = 450 // ms a finger rests before it draws a selection box

export class Pointer {
  constructor(host, graph, view) {
    Object.assign(this, { host, graph, view })
    this.touches = new Map()
    this.rests = null // where the mouse rests over the ground (canvas pixels), until a key or another pointer acts
    const on = (name, fn, options) => host.addEventListener(name, fn, options)
    on("pointerdown", (e) => this.down(e))
    on("pointermove", (e) => this.move(e))
    on("pointerup", (e) => this.up(e))
    on("pointercancel", (e) => this.cancel(e))
    on("pointerleave", () => (this.rests = null))
    on("dblclick", (e) => this.double(e))
    on("wheel", (e) => this.wheel(e), { passive: false })
  }

  wheel(e) {
    if (e.target.closest("[data-scrolls]")) return
    e.preventDefault()
    const unit = e.deltaMode === 1 ? 16 : e.deltaMode === 2 ? this.view.height : 1
    if (e.ctrlKey || e.metaKey) {
      const box = this.host.getBoundingClientRect()
      this.view.zoom(Math.exp((-e.deltaY * unit) / 300), e.clientX - box.left, e.clientY - box.top)
    } else if (e.shiftKey && !e.deltaX) this.view.pan(-e.deltaY * unit, 0)
    else this.view.pan(-e.deltaX * unit, -e.deltaY * unit)
    this.host.connect.hover(null)
  }

  down(e) {
    const fold = e.target.closest("[data-fold]")
    if (fold && this.host.editable) {
      e.preventDefault()
      return this.host.groups.fold(this.graph.nodes.get(fold.closest(".node").dataset.id))
    }
    if (e.target.closest("button, a, input, textarea, select, [data-bar]")) return
    if (e.pointerType === "touch") this.touches.set(e.pointerId, e)
    if (this.touches.size === 2) return this.startPinch()
    if (this.gesture || e.button > 1) return // the right one asks for the menu (menu.js)
    this.host.setPointerCapture(e.pointerId)
    const at = this.view.at(e.clientX, e.clientY)
    const grip = e.button === 0 && this.host.editable && e.target.closest("[data-grip]")
    if (grip) return this.begin(e, this.sizing(this.graph.nodes.get(grip.closest(".node").dataset.id), at))
    const port = e.button === 0 && this.view.level !== "far" ? e.target.closest(".node__port") : null
    if (port && this.host.editable) return this.begin(e, this.host.connect.start(port, at))
    if (e.button === 1 || this.host.dataset.hand !== undefined) return this.begin(e, this.panning(e))
    if (e.button !== 0) return
    const node = this.hit(e, at)
    const edge = (!node || node.container || node.group) && this.host.connect.edgeUnder(at)
    if (e.pointerType === "touch") this.resting(e, at, node || edge)
    if (edge) return this.begin(e, this.host.connect.grab(edge, at))
    if (node) return this.begin(e, this.dragging(e, node, at))
    if (e.shiftKey) return this.begin(e, this.boxing(at, e.shiftKey))
    this.begin(e, this.panning(e, true))
  }

  // A finger that rests asks for the menu of the step or the wire it is on. On the ground it draws a box if it moves on,
  // and asks for the menu if it is lifted.
  resting(e, at, thing) {
    this.long = setTimeout(() => {
      if (!this.gesture || this.gesture.moved) return
      navigator.vibrate?.(10)
      this.drop()
      if (thing) return this.host.menu.at(e)
      this.host.dataset.boxing = ""
      this.gesture = { ...this.boxing(at, false), click: () => this.host.menu.at(e), x: e.clientX, y: e.clientY, id: e.pointerId }
    }, LONG)
  }

  hit(e, at) {
    if (this.view.level === "far") return this.graph.nodeAt(at.x, at.y)
    const el = e.target.closest(".node")
    if (el) return this.graph.nodes.get(el.dataset.id)
    return null
  }

  begin(e, gesture) {
    if (!gesture) return
    this.gesture = { ...gesture, x: e.clientX, y: e.clientY, id: e.pointerId, moved: false }
    e.preventDefault()
    this.host.world.focus({ preventScroll: true })
  }

  move(e) {
    if (this.touches.has(e.pointerId)) this.touches.set(e.pointerId, e)
    if (this.pinch) return this.pinching()
    const g = this.gesture
    if (!g || g.id !== e.pointerId) {
      if (e.pointerType !== "touch") this.later(() => this.hover(e))
      this.rests = e.pointerType === "touch" || e.target.closest?.("[data-bar]") ? null : this.view.at(e.clientX, e.clientY)
      if (this.rests) Object.assign(this.rests, { clientX: e.clientX, clientY: e.clientY })
      return
    }
    if (!g.moved && Math.hypot(e.clientX - g.x, e.clientY - g.y) < STILL) return
    g.moved = true
    g.last = e
    this.later(() => this.gesture === g && g.update?.(g.last, this.view.at(g.last.clientX, g.last.clientY)))
  }

  // Coalesced: however many events come, one update a frame.
  later(fn) {
    this.next = fn
    if (this.waiting) return
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0
      this.next?.()
    })
  }

  hover(e) {
    const bar = e.target.closest?.("[data-bar]")
    const node = e.target.closest?.(".node")
    const free = !bar && (!node || node.dataset.container === "yes" || node.dataset.group === "yes")
    this.host.connect.hover(free ? this.view.at(e.clientX, e.clientY) : bar ? undefined : null)
  }

  up(e) {
    this.touches.delete(e.pointerId)
    clearTimeout(this.long)
    if (this.pinch) {
      if (this.touches.size < 2) {
        this.pinch = null
        this.view.settle()
      }
      return
    }
    const g = this.gesture
    if (!g || g.id !== e.pointerId) return
    this.gesture = null
    const at = this.view.at(e.clientX, e.clientY)
    if (g.moved) {
      g.update?.(e, at)
      g.end?.(e, at)
    } else g.click?.(e, at)
    g.after?.()
  }

  cancel(e) {
    this.touches.delete(e.pointerId)
    clearTimeout(this.long)
    this.pinch = null
    const g = this.gesture
    this.gesture = null
    g?.abort?.()
    g?.after?.()
  }

  // Escape while something is in the hand.
  drop() {
    if (!this.gesture) return false
    const g = this.gesture
    this.gesture = null
    g.abort?.()
    g.after?.()
    return true
  }

  double(e) {
    if (e.target.closest("button, a, input, [data-bar], .node__port")) return
    const at = this.view.at(e.clientX, e.clientY)
    const node = this.hit(e, at)
    if (node && !node.container) return this.host.edit.begin(node)
    if (!this.host.connect.edgeUnder(at)) this.host.palette.quick({ at, x: e.clientX, y: e.clientY })
  }

  panning(start, clears = false) {
    let [x, y] = [start.clientX, start.clientY]
    this.host.dataset.panning = ""
    return {
      update: (e) => {
        this.view.pan(e.clientX - x, e.clientY - y)
        x = e.clientX
        y = e.clientY
      },
      click: () => clears && this.host.select([]),
      after: () => delete this.host.dataset.panning,
    }
  }

  dragging(start, node, at) {
    const { host, graph } = this
    const add = start.shiftKey || start.ctrlKey || start.metaKey
    if (!host.selection.has(node.id)) host.select(add ? [...host.selection, node.id] : [node.id], { open: false })
    else if (add) {
      return { click: () => host.select([...host.selection].filter((id) => id !== node.id)) }
    }
    const click = () => {
      if (!add) host.select([node.id])
      host.focusNode(node.id, false)
    }
    if (!host.editable) return { click }
    const ids = graph.withMembers(host.selection) // what lies in a container or a group moves with it
    const moving = [...ids]
      .map((id) => graph.nodes.get(id))
      .filter((n) => n && ![...ids].some((other) => other !== n.id && graph.within(n.id, other)))
      .map((n) => ({ node: n, x: n.x, y: n.y, ax: n.ax, ay: n.ay }))
    const guides = new Guides(host, moving.map((m) => m.node))
    const around = graph.bounds(moving.map((m) => m.node))
    return {
      click,
      update: (e, now) => {
        host.dataset.dragging = ""
        const { dx, dy } = guides.fit(around, now.x - at.x, now.y - at.y, e.altKey)
        for (const m of moving) graph.place(m.node, m.x + dx, m.y + dy)
        const into = graph.containerAt(now.x, now.y, ids)
        const group = graph.groupAt(now.x, now.y, into?.id ?? "", ids)
        host.markDrop(into && into.id !== node.parent ? into : group && group !== graph.groupOf(node.id) ? group : null)
        host.connect.landing(moving.length === 1 ? node : null)
        this.view.draw()
      },
      end: (e, now) => {
        const into = graph.containerAt(now.x, now.y, ids)
        host.edit.moved(moving, into ? into.id : "", graph.groupAt(now.x, now.y, into?.id ?? "", ids), host.connect.landed)
        host.focusNode(node.id, false)
      },
      abort: () => {
        for (const m of moving) graph.place(m.node, m.x, m.y)
        this.view.draw()
      },
      after: () => {
        delete host.dataset.dragging
        guides.hide()
        host.connect.landing(null)
        host.markDrop(null)
      },
    }
  }

  // By the corner of a note, a group or a container.
  sizing(node, at) {
    const { host, graph } = this
    const [w, h] = [node.w, node.h]
    host.select([node.id], { open: false })
    return {
      update: (e, now) => {
        const size = host.edit.sizeFor(node, w + now.x - at.x, h + now.y - at.y)
        graph.size(node, size.w, size.h)
        this.view.draw()
      },
      end: () => {
        const size = { w: node.w, h: node.h }
        graph.size(node, w, h)
        host.edit.resize(node, size.w, size.h)
      },
      abort: () => graph.size(node, w, h),
    }
  }

  boxing(at, adds) {
    const { host, graph } = this
    const before = adds ? [...host.selection] : []
    const box = host.overlay.box
    return {
      update: (e, now) => {
        const area = {
          x1: Math.min(at.x, now.x),
          y1: Math.min(at.y, now.y),
          x2: Math.max(at.x, now.x),
          y2: Math.max(at.y, now.y),
        }
        box.show(area)
        const hit = [...graph.nodes.values()].filter((n) => !n.away && (
          n.container || n.group
            ? n.ax >= area.x1 && n.ay >= area.y1 && n.ax + n.w <= area.x2 && n.ay + n.h <= area.y2
            : n.ax < area.x2 && n.ay < area.y2 && n.ax + n.w > area.x1 && n.ay + n.h > area.y1),
        )
        host.select([...new Set([...before, ...hit.map((n) => n.id)])], { open: false, quiet: true })
      },
      end: () => host.saySelection(),
      click: () => adds || host.select([]),
      after: () => {
        delete host.dataset.boxing
        box.hide()
      },
    }
  }

  startPinch() {
    this.drop()
    const [a, b] = [...this.touches.values()]
    this.pinch = { d: Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY), x: mid(a, b).x, y: mid(a, b).y }
  }

  pinching() {
    if (this.touches.size < 2) return
    this.later(() => {
      if (!this.pinch || this.touches.size < 2) return
      const [a, b] = [...this.touches.values()]
      const d = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY)
      const m = mid(a, b)
      const box = this.host.getBoundingClientRect()
      this.view.pan(m.x - this.pinch.x, m.y - this.pinch.y)
      this.view.zoom(d / this.pinch.d, m.x - box.left, m.y - box.top)
      this.pinch = { d, ...m }
    })
  }
}

const mid = (a, b) => ({ x: (a.clientX + b.clientX) / 2, y: (a.clientY + b.clientY) / 2 })
