// <flow-canvas>: the server owns the document; this element owns the view of it and a cached copy of its geometry.
// Nodes are light DOM rendered by the server (templates/studio/_node.html). Positions are set by CSSOM only (strict CSP).

import { Actions } from "./actions.js"
import { Answers } from "./answers.js"
import { Choosing } from "./choosing.js"
import { Chrome } from "./chrome.js"
import { Clipboard } from "./clipboard.js"
import { Comments } from "./comments.js"
import { Connect } from "./connect.js"
import { Culling } from "./culling.js"
import { Painter } from "./draw.js"
import { Edit } from "./edit.js"
import { Finder } from "./finder.js"
import { Graph } from "./graph.js"
import { Groups } from "./groups.js"
import { Keys } from "./keys.js"
import { Live } from "./live.js"
import { Menu } from "./menu.js"
import { Naming } from "./naming.js"
import { Notes } from "./notes.js"
import { Outbox } from "./outbox.js"
import { Overlay } from "./overlay.js"
import { Palette } from "./palette.js"
import { Panel } from "./panel.js"
import { People } from "./people.js"
import { Picker } from "./picker.js"
import { Pointer } from "./pointer.js"
import { Runs } from "./runs.js"
import { Sheet } from "./sheet.js"
import { Tour } from "./tour.js"
import { View } from "./view.js"

class FlowCanvas extends Answers(Choosing(HTMLElement)) {
  connectedCallback() {
    if (this.graph) return
    this.world = this.querySelector(".canvas__world")
    this.wires = this.querySelector(".canvas__wires")
    this.grid = this.querySelector(".canvas__grid")
    this.minimap = this.querySelector(".minimap canvas")
    this.rev = Number(this.dataset.rev)
    this.editable = this.dataset.editable === "yes"
    this.selection = new Set()
    this.catalogue = JSON.parse(this.querySelector("script.catalogue").textContent)
    this.templates = new Map([...this.querySelectorAll("template[data-type]")].map((t) => [t.dataset.type, t]))
    this.graph = new Graph(this.world)
    this.view = new View(this)
    this.overlay = new Overlay(this, this.view)
    this.culling = new Culling(this, this.graph, this.view)
    this.painter = new Painter(this, this.graph, this.view)
    this.connect = new Connect(this, this.graph, this.view)
    this.edit = new Edit(this, this.graph)
    this.groups = new Groups(this, this.graph)
    this.notes = new Notes(this)
    this.naming = new Naming(this)
    this.menu = new Menu(this)
    this.pointer = new Pointer(this, this.graph, this.view)
    this.keys = new Keys(this, this.graph, this.view)
    this.clipboard = new Clipboard(this)
    this.picker = new Picker(this)
    this.palette = new Palette(this)
    this.finder = new Finder(this)
    this.panel = new Panel(this)
    this.sheet = new Sheet(this)
    this.runs = new Runs(this)
    this.outbox = new Outbox(this)
    this.live = new Live(this)
    this.people = new People(this)
    this.comments = new Comments(this)
    this.actions = new Actions(this)
    this.chrome = new Chrome(this)
    this.tour = new Tour(this)
    this.graph.load(JSON.parse(this.querySelector("script.edges").textContent))
    this.begin()
  }

  disconnectedCallback() {
    for (const each of [this.view, this.painter, this.keys, this.clipboard, this.chrome, this.live, this.people, this.comments, this.actions, this.tour]) each?.stop()
    this.outbox?.close()
  }

  get run() {
    return this.runs
  }

  async begin() {
    const kept = JSON.parse(sessionStorage.getItem(`agentbase.view.${this.dataset.flow}`) ?? "null")
    if (kept && Math.abs(kept.width - innerWidth) < 300) Object.assign(this.view, { x: kept.x, y: kept.y, k: kept.k })
    else this.view.room.overview()
    this.view.settle()
    this.view.draw()
    addEventListener("pagehide", () => {
      const { x, y, k } = this.view
      sessionStorage.setItem(`agentbase.view.${this.dataset.flow}`, JSON.stringify({ x, y, k, width: innerWidth }))
    })
    const left = await this.outbox.open()
    for (const batch of left) for (const op of batch.ops) this.edit.apply(op)
    this.keys.rove()
    this.runs.dressAll()
    this.changed()
    this.dataset.ready = ""
    if (left.length) this.outbox.flush()
    this.outbox.show()
    this.live.start()
    this.people.start()
    this.comments.start()
    this.tour.start()
    const query = new URLSearchParams(location.search)
    const asked = query.get("step") ?? location.hash.slice(1)
    if (this.graph.nodes.has(asked)) {
      this.edit.reveal(asked)
      this.focusNode(asked)
      this.openPanel(asked, query.has("field"), query.get("field") ?? "")
    }
  }

  // Elements of the editor's page that are not inside the canvas: part("panel") is [data-part=panel].
  part(name) {
    return document.querySelector(`[data-part="${name}"]`)
  }

  // --- what others of the editor's page need

  openPanel(id, focus = false, field = "") {
    return this.panel.open(id, { focus, field })
  }

  closePanel() {
    this.panel.close()
  }

  closeDrawer() {
    this.part("drawer").hidden = true
    this.focusNode(this.keys.at, false)
  }

  tryIt() {
    this.panel.tryIt()
  }

  say(text) {
    const live = this.part("said")
    if (!live) return
    live.textContent = ""
    requestAnimationFrame(() => (live.textContent = text))
  }

  toast(words, undo = null, verb = "") {
    this.say(words)
    document.dispatchEvent(new CustomEvent("toast", { detail: { text: words, kind: "info", undo, verb } }))
  }

  removed(words) {
    this.toast(words, () => this.step("undo"))
  }

  renamed(name) {
    for (const el of document.querySelectorAll("[data-flow-name]")) el.textContent = name
  }

  async step(which) {
    if (this.editable) await this.outbox.step(which)
  }

  resync() {
    return this.outbox.resync()
  }

  // Two people wrote the same field: theirs is in place, ours is one press away.
  settle(conflict, mine) {
    this.panel.settle(conflict, mine)
  }
}

customElements.define("flow-canvas", FlowCanvas)
