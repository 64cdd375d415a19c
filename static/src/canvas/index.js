// <flow-canvas>: the server owns the document; this element owns the view of it and a cached copy of its geometry.
// Nodes are light DOM rendered by the server (templates/studio/_node.html). Positions are set by CSSOM only (strict CSP).

import { Connect } from "./connect.js"
import { Painter } from "./draw.js"
import { Edit } from "./edit.js"
import { Graph } from "./graph.js"
import { Keys, box } from "./keys.js"
import { Live } from "./live.js"
import { Outbox, csrf, sentence, uuid } from "./outbox.js"
import { Overlay } from "./overlay.js"
import { Palette } from "./palette.js"
import { Panel } from "./panel.js"
import { Picker } from "./picker.js"
import { Pointer } from "./pointer.js"
import { Runs } from "./runs.js"
import { markup } from "./swap.js"
import { View } from "./view.js"

class FlowCanvas extends HTMLElement {
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
    this.painter = new Painter(this, this.graph, this.view)
    this.connect = new Connect(this, this.graph, this.view)
    this.edit = new Edit(this, this.graph)
    this.pointer = new Pointer(this, this.graph, this.view)
    this.keys = new Keys(this, this.graph, this.view)
    this.picker = new Picker(this)
    this.palette = new Palette(this)
    this.panel = new Panel(this)
    this.runs = new Runs(this)
    this.outbox = new Outbox(this)
    this.live = new Live(this)
    this.graph.load(JSON.parse(this.querySelector("script.edges").textContent))
    this.buttons()
    this.begin()
  }

  disconnectedCallback() {
    for (const each of [this.view, this.painter, this.keys]) each?.stop()
    this.outbox?.close()
    this.live?.stop()
    document.removeEventListener("click", this.clicked)
  }

  get run() {
    return this.runs
  }

  async begin() {
    const kept = JSON.parse(sessionStorage.getItem(`agentbase.view.${this.dataset.flow}`) ?? "null")
    if (kept) Object.assign(this.view, kept)
    else this.fit()
    this.view.settle()
    this.view.draw()
    addEventListener("pagehide", () => {
      const { x, y, k } = this.view
      sessionStorage.setItem(`agentbase.view.${this.dataset.flow}`, JSON.stringify({ x, y, k }))
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
    const asked = new URLSearchParams(location.search).get("step") ?? location.hash.slice(1)
    if (this.graph.nodes.has(asked)) {
      this.focusNode(asked)
      this.openPanel(asked)
    }
  }

  // Elements of the editor's page that are not inside the canvas: part("panel") is [data-part=panel].
  part(name) {
    return document.querySelector(`[data-part="${name}"]`)
  }

  insets() {
    const left = 48 + (this.palette?.open ? 264 : 0)
    const panel = this.part("panel")
    const over = panel && !panel.hidden && getComputedStyle(panel).position === "absolute"
    return { left, right: over ? panel.offsetWidth : 0 }
  }

  // Buttons anywhere in the editor's page say what they do in data-canvas.
  buttons() {
    const deeds = {
      undo: () => this.step("undo"),
      redo: () => this.step("redo"),
      add: () => this.palette.toggle(),
      "zoom-in": () => this.view.zoom(1.25),
      "zoom-out": () => this.view.zoom(0.8),
      fit: () => this.fit(),
      arrange: () => this.edit.arrange(),
      try: () => this.tryIt(),
      "close-panel": () => this.closePanel(),
      "close-drawer": () => {
        this.part("drawer").hidden = true
        this.focusNode(this.keys.at, false)
      },
      delete: () => this.edit.remove(this.panel.node ? [this.panel.node] : [...this.selection]),
      duplicate: () => this.keys.duplicate(this.graph.nodes.get(this.panel.node)),
    }
    this.clicked = (e) => {
      const jump = e.target.closest("[data-jump]")
      if (jump) {
        e.preventDefault()
        this.jump(jump.dataset.jump, jump.dataset.field)
        return
      }
      const opens = e.target.closest("[data-panel-url]")
      if (opens) {
        e.preventDefault()
        this.panel.page(opens.dataset.panelUrl)
        return
      }
      const posts = e.target.closest("[data-post]")
      if (posts) {
        e.preventDefault()
        this.send(posts.dataset.post)
        return
      }
      const button = e.target.closest("[data-canvas]")
      const deed = button && deeds[button.dataset.canvas]
      if (!deed) return
      e.preventDefault()
      deed()
    }
    document.addEventListener("click", this.clicked)
    this.view.onframe.push(() => {
      const word = this.part("zoom")
      const text = `${Math.round(this.view.k * 100)}%`
      if (word && word.textContent !== text) word.textContent = text
    })
    const map = this.minimap
    map?.addEventListener("pointerdown", (e) => {
      const go = (m) => {
        const s = this.painter.mapScale
        const r = map.getBoundingClientRect()
        if (!s) return
        this.view.x = this.view.width / 2 - ((m.clientX - r.left - s.dx) / s.k) * this.view.k
        this.view.y = this.view.height / 2 - ((m.clientY - r.top - s.dy) / s.k) * this.view.k
        this.view.draw()
      }
      map.setPointerCapture(e.pointerId)
      go(e)
      map.onpointermove = go
      map.onpointerup = () => (map.onpointermove = null)
    })
    this.view.onlevel.push(() => this.connect.hover(null))
  }

  // --- selection and focus

  select(ids, { open = true, quiet = false, keep = false } = {}) {
    this.connect.unpick()
    const wanted = new Set([...ids].filter((id) => this.graph.nodes.has(id)))
    for (const id of this.selection) if (!wanted.has(id)) this.mark(id, false)
    for (const id of wanted) if (!this.selection.has(id)) this.mark(id, true)
    this.selection = wanted
    this.view.draw()
    if (wanted.size === 1 && open) this.openPanel([...wanted][0])
    else if (wanted.size !== 1 && this.panel.node && !keep) this.closePanel()
    if (!quiet && wanted.size > 1) this.saySelection()
  }

  mark(id, on) {
    const el = this.graph.nodes.get(id)?.el
    if (!el) return
    el.toggleAttribute("data-selected", on)
    if (on) el.setAttribute("aria-current", "true")
    else el.removeAttribute("aria-current")
  }

  toggle(id) {
    const next = new Set(this.selection)
    if (!next.delete(id)) next.add(id)
    this.select(next, { open: false })
    this.say(`${this.graph.nodes.get(id).title} ${next.has(id) ? "selected" : "not selected"}`)
  }

  saySelection() {
    const n = this.selection.size
    if (n > 1) this.say(`${n} steps selected`)
  }

  focusNode(id, show = true) {
    const node = this.graph.nodes.get(id)
    if (!node) return
    if (show) this.view.show(box(node))
    node.el.tabIndex = 0
    node.el.focus({ preventScroll: true })
  }

  jump(id, field = "") {
    const node = this.graph.nodes.get(id)
    if (!node) return this.toast("This step was deleted.")
    this.view.show(box(node))
    this.select([id], { open: false })
    this.openPanel(id, true, field)
  }

  markDrop(node) {
    if (this.dropInto === node) return
    this.dropInto?.el.removeAttribute("data-drop")
    this.dropInto = node
    node?.el.setAttribute("data-drop", "")
  }

  fit() {
    const chosen = [...this.selection].map((id) => this.graph.nodes.get(id))
    this.view.fit(this.graph.bounds(chosen.length > 1 ? chosen : undefined))
    this.view.auto = chosen.length < 2
  }

  // --- what others of the editor's page need

  openPanel(id, focus = false, field = "") {
    return this.panel.open(id, { focus, field })
  }

  closePanel() {
    this.panel.close()
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

  toast(words, undo = null) {
    this.say(words)
    document.dispatchEvent(new CustomEvent("toast", { detail: { text: words, kind: "info", undo } }))
  }

  removed(words) {
    this.toast(words, () => this.step("undo"))
  }

  // A deed outside the document (publish, archive, copy…); its answer says what to show: html, toast, panel, to, resync.
  async send(url, body = {}, method = "POST") {
    await this.outbox.flush()
    const reply = await fetch(url, {
      method,
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": csrf() },
      body: JSON.stringify(body),
    }).catch(() => null)
    const answer = await reply?.json().catch(() => null)
    if (!reply?.ok) {
      this.toast(sentence(answer) || "No connection. Nothing was done.")
      if (answer?.node) this.jump(answer.node)
      return false
    }
    if (answer?.to) location.assign(answer.to)
    if (answer?.html) this.swap(answer.html)
    if (answer?.resync) await this.resync()
    if (answer?.toast) this.toast(answer.toast, answer.undo ? () => this.step("undo") : null)
    if (answer?.panel) await this.panel.page(answer.panel)
    return true
  }

  renamed(name) {
    for (const el of document.querySelectorAll("[data-flow-name]")) el.textContent = name
  }

  async step(which) {
    if (this.editable) await this.outbox.step(which)
  }

  async paste(fragment) {
    await this.outbox.flush()
    const at = this.pasteAt(fragment)
    const answer = await this.outbox
      .post("/paste", { base: this.rev, batch: uuid(), client: this.outbox.client, fragment, ...at })
      .catch(() => ({ status: 0, body: {} }))
    if (answer.status !== 200) return this.toast(sentence(answer.body) || "No connection. Nothing was pasted.")
    await this.outbox.took(answer.body)
    const ids = (answer.body.extra ?? []).filter((op) => op.op === "node.add").map((op) => op.node.id)
    this.select(ids, { open: false })
    if (ids.length) this.focusNode(ids[0])
    this.say(`${ids.length === 1 ? "Step" : `${ids.length} steps`} pasted`)
  }

  // Beside the originals when they are in view, else in the middle.
  pasteAt(fragment) {
    const middle = this.view.centre()
    const chosen = this.selection.size ? this.graph.bounds([...this.selection].map((id) => this.graph.nodes.get(id))) : null
    const at = chosen ? { x: chosen.x1 + 32, y: chosen.y1 + 32 } : { x: middle.x - 104, y: middle.y - 64 }
    const first = this.graph.nodes.get([...this.selection][0])
    const parent = first && !first.container ? first.parent : ""
    const origin = this.graph.origin(parent)
    return { x: Math.round((at.x - origin.x) / 8) * 8, y: Math.round((at.y - origin.y) / 8) * 8, parent }
  }

  // --- after edits and answers

  adopted(el) {
    if (this.selection.has(el.dataset.id)) this.mark(el.dataset.id, true)
    this.runs.dress(this.graph.nodes.get(el.dataset.id))
  }

  changed() {
    for (const id of [...this.selection]) if (!this.graph.nodes.has(id)) this.selection.delete(id)
    if (this.panel.node && !this.graph.nodes.has(this.panel.node)) this.closePanel()
    this.keys.rove()
    this.connect.forget()
    this.part("empty")?.toggleAttribute("hidden", this.graph.nodes.size > 0)
    this.world.setAttribute("aria-label", `Canvas, ${this.graph.nodes.size} steps`)
    this.view.draw()
  }

  // Fresh renderings by element id. A step that we have edited since keeps what we know of its place.
  swap(html, pending = []) {
    for (const [id, text] of Object.entries(html)) {
      const fresh = markup(text)
      if (!fresh) continue
      const old = document.getElementById(id)
      const node = fresh.matches(".node") ? this.graph.nodes.get(fresh.dataset.id) : null
      if (fresh.matches(".node") && !node) continue
      if (node) {
        const moved = pending.some((op) => op.id === node.id && ["node.move", "node.reparent", "node.resize"].includes(op.op))
        if (moved) Object.assign(fresh.dataset, { x: node.x, y: node.y, w: node.w, h: node.h, parent: node.parent })
        const focused = old?.contains(document.activeElement)
        fresh.tabIndex = old?.tabIndex ?? -1
        ;(old ?? node.el).replaceWith(fresh)
        this.graph.put(this.graph.adopt(fresh))
        this.adopted(fresh)
        if (focused) fresh.focus({ preventScroll: true })
      } else old?.replaceWith(fresh)
    }
    this.connect.forget()
    this.view.draw()
  }

  // What an answer says besides the document: problems, what can be undone, errors of fields.
  answered(answer) {
    for (const which of ["undo", "redo"]) {
      const button = document.querySelector(`[data-canvas="${which}"]`)
      if (button && answer[which] !== undefined) button.toggleAttribute("disabled", !answer[which])
    }
    if (answer.errors) this.panel.errors(answer.errors)
    if (answer.faults) this.faults(answer.faults)
  }

  // What each step needs before it can run, in the foot of its card.
  faults(all) {
    for (const node of this.graph.nodes.values()) {
      const words = all[node.id] ?? ""
      if ((node.el.dataset.problem ?? "") === words) continue
      if (words) node.el.dataset.problem = words
      else delete node.el.dataset.problem
      this.runs.dress(node)
    }
  }

  // The whole document anew from the server.
  async reload() {
    const reply = await fetch(`${this.dataset.url}/graph`, { headers: { Accept: "application/json" } })
    if (!reply.ok) return
    const whole = await reply.json()
    for (const node of this.graph.nodes.values()) node.el.remove()
    const parsed = markup(`<div>${whole.nodes}</div>`)
    this.world.append(...parsed.children)
    this.rev = whole.rev
    this.graph.load(whole.edges)
    this.renamed(whole.name)
    this.swap(whole.html ?? {})
    for (const id of this.selection) this.mark(id, true)
    for (const node of this.graph.nodes.values()) this.runs.dress(node)
    this.answered(whole)
    this.changed()
    this.panel.refresh()
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
