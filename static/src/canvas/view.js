// The window onto the canvas: pan, zoom, level of detail, and one redraw a frame.

import { FROM } from "./culling.js"
import { Room } from "./room.js"

const FAR = 0.38 // below: boxes drawn on the canvas; the HTML world is hidden without losing its layout
const FAR_LARGE = 0.5 // the same for a flow of so many steps that hundreds of cards would be in the view at once
const NEAR = 0.8 // from here on: sizes as designed
const LEAST = 0.06
const MOST = 2

export class View {
  constructor(host) {
    this.host = host
    this.room = new Room(host, this)
    this.auto = null // how to show the flow again when the window changes, until somebody has moved the view
    this.x = 0
    this.y = 0
    this.k = 1
    this.width = 0
    this.height = 0
    this.level = "near"
    this.frame = 0
    this.stale = true // something else than the place changed since the last frame
    this.onframe = []
    this.onlevel = []
    this.gestureEnd = 0
    this.observer = new ResizeObserver(([entry]) => {
      const before = { width: this.width, height: this.height }
      this.width = entry.contentRect.width
      this.height = entry.contentRect.height
      this.dpr = window.devicePixelRatio || 1
      this.resized = true
      const pending = this.pendingFit
      this.pendingFit = null
      if (pending) pending()
      this.room.refit(before.width ? before : undefined)
      this.draw()
    })
    this.observer.observe(host)
  }

  stop() {
    this.observer.disconnect()
    cancelAnimationFrame(this.frame)
    clearTimeout(this.gestureEnd)
  }

  // `moved`: nothing but the place of the view is new, so what was drawn can be pushed along.
  draw(moved = false) {
    if (!moved) this.stale = true
    if (!this.frame) this.frame = requestAnimationFrame(() => this.paint())
  }

  paint() {
    this.frame = 0
    const { x, y, k, host } = this
    host.world.style.transform = `translate(${x}px, ${y}px) scale(${k})`
    // The grid is a layer of its own, one tile larger than the view, moved by transform only.
    const step = 24 * k * (k < 0.5 ? (k < 0.25 ? 4 : 2) : 1)
    if (step !== this.step) {
      this.step = step
      host.grid.style.backgroundSize = `${step}px ${step}px`
    }
    host.grid.style.transform = `translate(${x % step}px, ${y % step}px)`
    for (const each of this.onframe) each()
  }

  // Page coordinates -> canvas pixels at zoom 1.
  at(clientX, clientY) {
    const box = this.host.getBoundingClientRect()
    return { x: (clientX - box.left - this.x) / this.k, y: (clientY - box.top - this.y) / this.k }
  }

  centre() {
    const { left, width, height } = this.room.free()
    return { x: (left + width / 2 - this.x) / this.k, y: (height / 2 - this.y) / this.k }
  }

  pan(dx, dy) {
    this.auto = null
    this.x += dx
    this.y += dy
    this.draw(true)
  }

  // Zoom so that the point under (vx, vy), in view pixels, stays there.
  zoom(factor, vx = this.width / 2, vy = this.height / 2) {
    this.auto = null
    const k = Math.min(MOST, Math.max(LEAST, this.k * factor))
    this.x = vx - ((vx - this.x) * k) / this.k
    this.y = vy - ((vy - this.y) * k) / this.k
    this.k = k
    this.gesture()
    this.draw()
  }

  get far() {
    return this.host.graph.nodes.size >= FROM ? FAR_LARGE : FAR
  }

  // Down to boxes at once (cheap), back to HTML only when the gesture rests (costly).
  gesture() {
    if (this.k < this.far && this.level !== "far") this.setLevel("far")
    clearTimeout(this.gestureEnd)
    this.gestureEnd = setTimeout(() => this.settle(), 140)
  }

  settle() {
    clearTimeout(this.gestureEnd)
    this.setLevel(this.k < this.far ? "far" : this.k < NEAR ? "mid" : "near")
  }

  setLevel(level) {
    if (level === this.level) return
    this.level = level
    this.host.dataset.zoom = level
    this.draw()
    for (const each of this.onlevel) each(level)
  }

  fit(box, most = 1) {
    if (!this.width) {
      this.pendingFit = () => this.fit(box, most)
      return
    }
    if (!box) {
      this.x = this.width / 2 - 104
      this.y = this.height / 2 - 60
      this.k = 1
      this.settle()
      this.draw()
      return
    }
    const { left, width, height } = this.room.free()
    const w = Math.max(1, box.x2 - box.x1)
    const h = Math.max(1, box.y2 - box.y1)
    const [aside, under] = [Math.min(64, width / 14), Math.min(152, height / 4)]
    this.k = Math.min(most, Math.max(LEAST, Math.min((width - aside) / w, (height - under) / h)))
    this.x = left + (width - w * this.k) / 2 - box.x1 * this.k
    this.y = (height - under * 0.37 - h * this.k) / 2 - box.y1 * this.k
    this.settle()
    this.draw()
  }

  // Move as little as needed so that the box is seen; zoom in when it would only be a drawn box.
  show(box) {
    const { left, width, height, foot } = this.room.free()
    if (this.k < this.far) {
      this.k = NEAR
      this.x = left + width / 2 - ((box.x1 + box.x2) / 2) * this.k
      this.y = height / 2 - ((box.y1 + box.y2) / 2) * this.k
      this.settle()
      this.draw()
      return
    }
    const [x1, x2] = [box.x1 * this.k + this.x, box.x2 * this.k + this.x]
    const [y1, y2] = [box.y1 * this.k + this.y, box.y2 * this.k + this.y]
    const edge = Math.min(24, width / 28)
    if (x1 < left + edge) this.x += left + edge - x1
    else if (x2 > left + width - edge) this.x += Math.max(left + edge - x1, left + width - edge - x2)
    if (y1 < edge) this.y += edge - y1
    else if (y2 > height - foot) this.y += Math.max(edge - y1, height - foot - y2)
    this.draw()
  }

  // The visible part of the canvas, in canvas pixels.
  window(margin = 0) {
    const m = margin / this.k
    return {
      x1: -this.x / this.k - m,
      y1: -this.y / this.k - m,
      x2: (this.width - this.x) / this.k + m,
      y2: (this.height - this.y) / this.k + m,
    }
  }
}
