// The keyboard on the canvas. One step has the focus (roving tabindex); every deed of the pointer has a key.
// Which key does what stands in actions.js; arrows, which take a direction, are read here.

import { box } from "./graph.js"
import { rtl, t } from "../words.js"

const STEP = 8
const FAR = 40
const LETTERS_OFF = "agentbase:letters-off" // the switch of the `?` sheet (WCAG 2.1.4)

export class Keys {
  constructor(host, graph, view) {
    Object.assign(this, { host, graph, view, at: "" })
    host.addEventListener("keydown", (e) => this.down(e))
    host.addEventListener("keyup", (e) => e.key === " " && delete host.dataset.hand)
    host.addEventListener("focusin", (e) => {
      const el = e.target.closest(".node")
      if (el && host.world.contains(el)) this.focused(el.dataset.id)
    })
    // On the whole page, while no field has the focus: editing keys work without a click on the canvas first.
    this.global = (e) => {
      if (!host.contains(e.target) && e.target === document.body) this.down(e)
    }
    document.addEventListener("keydown", this.global)
  }

  stop() {
    document.removeEventListener("keydown", this.global)
  }

  // Only one step is in the tab order.
  focused(id) {
    if (this.at === id) return
    const old = this.graph.nodes.get(this.at)
    if (old) old.el.tabIndex = -1
    this.at = id
    const node = this.graph.nodes.get(id)
    if (!node) return
    this.host.culling.need(node)
    node.el.tabIndex = 0
    this.host.world.tabIndex = -1
  }

  focusedNode() {
    return this.graph.nodes.get(document.activeElement?.closest?.(".node")?.dataset.id)
  }

  // At start, and whenever the focused step is gone.
  rove() {
    if (this.graph.nodes.has(this.at) && !this.graph.nodes.get(this.at).away) return
    const first = this.graph.ordered()[0]
    this.at = ""
    if (first) this.focused(first.id)
    else this.host.world.tabIndex = 0
  }

  down(e) {
    if (e.target.closest?.("input, textarea, select, [contenteditable], dialog, [popover], [data-keys=own]")) return
    const key = this.name(e)
    if (/^(Shift\+)?[a-z0-9]$|^Tab$/.test(key) && localStorage.getItem(LETTERS_OFF) === "1") return
    const node = this.focusedNode()
    const deed = this.moves(key, node) ?? this.deed(key, node, e)
    if (deed) {
      e.preventDefault()
      e.stopPropagation()
      deed()
    }
    // Whoever goes on by keyboard keeps Tab for walking on, even with a mouse lying on the canvas.
    if (!/^(Shift|Control|Alt|Meta)$/.test(e.key)) this.host.pointer.rests = null
  }

  name(e) {
    const key = e.key.length === 1 ? e.key.toLowerCase() : e.key
    const shift = e.shiftKey && (e.key.length > 1 || /[a-z]/.test(key))
    return (e.ctrlKey || e.metaKey ? "Ctrl+" : "") + (e.altKey ? "Alt+" : "") + (shift ? "Shift+" : "") + key
  }

  deed(key, node, e) {
    const { actions } = this.host
    const action = actions.byKey.get(key)
    if (!action || action.native || !actions.able(action, node)) return null
    // Buttons inside the canvas keep Enter and Space for themselves.
    if ((key === "Enter" || key === " ") && e.target.closest?.("button, a")) return null
    return () => actions.act(action, node)
  }

  moves(key, node) {
    const arrow = /^(Alt\+)?(Shift\+)?Arrow(Left|Right|Up|Down)$/.exec(key)
    if (!arrow) return null
    const [, alt, shift, way] = arrow
    if (alt && shift) return this.sizes(node, way)
    if (alt) return node && (() => this.follow(node, way))
    if (!this.host.selection.size) return node ? () => this.nearest(node, way) : () => this.view.pan(...pan(way))
    const by = shift ? FAR : STEP
    const [dx, dy] = { Left: [-by, 0], Right: [by, 0], Up: [0, -by], Down: [0, by] }[way]
    return () => {
      this.host.edit.nudge(dx, dy)
      const first = this.graph.nodes.get([...this.host.selection][0])
      if (first) this.view.show(box(first))
    }
  }

  sizes(node, way) {
    const one = node ?? (this.host.selection.size === 1 ? this.graph.nodes.get([...this.host.selection][0]) : null)
    if (!one?.sizable || !this.host.editable) return null
    const [dw, dh] = { Left: [-STEP * 2, 0], Right: [STEP * 2, 0], Up: [0, -STEP * 2], Down: [0, STEP * 2] }[way]
    return () => this.host.edit.resize(one, one.w + dw, one.h + dh, { merge: `size ${one.id}`, wait: 200 })
  }

  go(node) {
    if (node) this.host.focusNode(node.id)
  }

  // Along the wires: right to what comes next, left to where it comes from, up and down among siblings.
  follow(node, way) {
    const next = (n, out) =>
      [...(this.graph.wires.get(n.id) ?? [])]
        .filter((e) => (out ? e.from : e.to) === n.id)
        .map((e) => this.graph.nodes.get(out ? e.to : e.from))
        .filter((n) => !n.away)
        .sort((a, b) => a.ay - b.ay)
    if (way === "Right" || way === "Left") {
      const [to] = next(node, way === "Right")
      if (!to) return this.host.say(way === "Right" ? t`Nothing comes after this step` : t`Nothing comes before this step`)
      this.cameFrom = node.id
      if (this.host.selection.size === 1) this.host.select([to.id], { open: false })
      return this.go(to)
    }
    const from = this.graph.nodes.get(this.cameFrom) ?? next(node, false)[0]
    const siblings = from ? [...new Set([...next(from, true), ...next(from, false)])] : []
    const at = siblings.indexOf(node)
    const to = siblings[at + (way === "Down" ? 1 : -1)]
    if (to) this.go(to)
    else this.nearest(node, way)
  }

  nearest(node, way) {
    const [ux, uy] = { Left: [-1, 0], Right: [1, 0], Up: [0, -1], Down: [0, 1] }[way]
    let best = null
    let least = Infinity
    for (const n of this.graph.nodes.values()) {
      const [dx, dy] = [n.ax - node.ax, n.ay - node.ay]
      const ahead = dx * ux + dy * uy
      const aside = Math.abs(dx * uy) + Math.abs(dy * ux)
      if (n === node || n.away || ahead <= 0) continue
      if (ahead + 2 * aside < least) {
        least = ahead + 2 * aside
        best = n
      }
    }
    this.go(best)
  }

  connect(node) {
    const items = this.host.connect.list(node).map(({ from, to }) => ({
      label: from.side === "out" ? t`${from.port.label} to ${to.node.title}, ${to.port.label}` : t`${from.port.label} from ${to.node.title}, ${to.port.label}`,
      hint: from.side === "out" ? t`goes on to` : t`comes from`,
      icon: to.node.el.querySelector(".tile"),
      run: () => {
        this.host.connect.join(from, to)
        this.host.focusNode(node.id)
      },
    }))
    const at = node.el.getBoundingClientRect()
    this.host.picker.open({
      title: t`Wire “${node.title}”`,
      items,
      x: rtl ? at.left : at.right,
      y: at.top,
      empty: t`No port of another step fits. Add a step with A.`,
      onclose: (done) => done || this.host.focusNode(node.id, false),
    })
  }

  remove(node) {
    const { connect, selection, edit } = this.host
    if (connect.picked) return connect.cut(connect.picked)
    if (selection.size || node) edit.remove(this.chosen(node))
  }

  escape() {
    const { host } = this
    if (host.pointer.drop()) return
    if (host.connect.picked) return host.connect.unpick()
    if (host.palette.open) return host.palette.close(true)
    if (!host.panel.el.hidden) return host.closePanel()
    if (host.selection.size) host.select([])
  }

  // What a key acts on: the selected steps; the focused one when it is not among them.
  chosen(node) {
    const { selection } = this.host
    return node && !selection.has(node.id) ? [node.id] : [...selection]
  }
}

const pan = (way) => ({ Left: [60, 0], Right: [-60, 0], Up: [0, 60], Down: [0, -60] })[way]
export { box }
