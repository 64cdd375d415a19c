// A flow behind a link, only to look at: the canvas of the editor with what moves the view and what shows a step, and
// nothing that edits, runs or asks the server (the page's policy forbids that it talks at all).

import "../elements/tooltip.js"
import { Choosing } from "../canvas/choosing.js"
import { Chrome } from "../canvas/chrome.js"
import { Culling } from "../canvas/culling.js"
import { Painter } from "../canvas/draw.js"
import { Graph } from "../canvas/graph.js"
import { Keys } from "../canvas/keys.js"
import { Overlay } from "../canvas/overlay.js"
import { Pointer } from "../canvas/pointer.js"
import { View } from "../canvas/view.js"
import { Deeds } from "./deeds.js"
import { Fold } from "./fold.js"
import { Reading } from "./reading.js"

// What the pointer and the keyboard of the editor do to wires; here a wire is only seen.
const WIRES = { hover() {}, edgeUnder: () => null, unpick() {}, landing() {}, picked: null }

// Arrows walk from step to step, also from the one whose settings are open: nothing can be moved.
class Walking extends Keys {
  moves(key, node) {
    const way = /^Arrow(Left|Right|Up|Down)$/.exec(key)
    return way && node ? () => this.nearest(node, way[1]) : super.moves(key, node)
  }
}

class SharedFlow extends Choosing(HTMLElement) {
  connectedCallback() {
    if (this.graph) return
    this.world = this.querySelector(".canvas__world")
    this.wires = this.querySelector(".canvas__wires")
    this.grid = this.querySelector(".canvas__grid")
    this.minimap = this.querySelector(".minimap canvas")
    this.editable = false
    this.selection = new Set()
    this.connect = WIRES
    this.palette = { open: false, quick() {} }
    this.edit = { begin: (node) => this.openPanel(node.id, true), reveal: (id) => this.folds.reveal(id), nudge() {} }
    this.graph = new Graph(this.world)
    this.view = new View(this)
    this.overlay = new Overlay(this, this.view)
    this.culling = new Culling(this, this.graph, this.view)
    this.painter = new Painter(this, this.graph, this.view)
    this.pointer = new Pointer(this, this.graph, this.view)
    this.keys = new Walking(this, this.graph, this.view)
    this.panel = new Reading(this)
    this.folds = new Fold(this, this.graph)
    this.actions = new Deeds(this)
    this.chrome = new Chrome(this)
    this.graph.load(JSON.parse(this.querySelector("script.edges").textContent))
    this.actions.look(innerWidth < 600 ? "outline" : "canvas")
    this.fit(true)
    this.view.settle()
    this.view.draw()
    this.keys.rove()
    this.dataset.ready = ""
  }

  disconnectedCallback() {
    for (const each of [this.view, this.painter, this.keys, this.chrome]) each?.stop()
  }

  // Elements of the page that are not inside the canvas: part("panel") is [data-part=panel].
  part(name) {
    return document.querySelector(`[data-part="${name}"]`)
  }

  insets() {
    return { left: 0, right: 0 }
  }

  openPanel(id, focus = false) {
    this.panel.open(id, focus)
  }

  closePanel() {
    this.panel.close()
  }

  say(text) {
    const live = this.part("said")
    live.textContent = ""
    requestAnimationFrame(() => (live.textContent = text))
  }
}

customElements.define("flow-canvas", SharedFlow)
