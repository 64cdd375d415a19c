// Every deed of the canvas, said once: its keys, its words, its icon. The keyboard, the `?` sheet, Ctrl K and the
// page's buttons (data-canvas="name") all read this list.
//
// needs: "step" (the focused or the only selected one), "some" (selected or focused), "many" (two or more selected).
// edits: only where this flow may be changed. run(node, ids): node = the step, ids = what the deed acts on.

import { ALIGN } from "./arrange.js"
import { t } from "../words.js"

const SIDES = {
  left: t`Align left edges`,
  centre: t`Align centres`,
  right: t`Align right edges`,
  top: t`Align top edges`,
  middle: t`Align middles`,
  bottom: t`Align bottom edges`,
}
const NOTE = t`note`
const SIDE_ICONS = {
  left: { icon: "align-start-vertical" },
  centre: { icon: "align-center-vertical" },
  right: { icon: "align-end-vertical" },
  top: { icon: "align-start-horizontal" },
  middle: { icon: "align-center-horizontal" },
  bottom: { icon: "align-end-horizontal" },
}

export const actionsOf = (host) => [
  { name: "add", keys: ["a"], label: t`Add a step`, icon: "plus", edits: true, run: (node) => host.palette.showAfter(node) },
  { name: "add-here", keys: ["Tab"], label: t`Add a step where the pointer is`, icon: "mouse-pointer-click", edits: true, hidden: true, when: () => host.pointer.rests, run: () => host.palette.quickHere() },
  { name: "connect", keys: ["c"], label: t`Connect this step`, icon: "cable", edits: true, needs: "step", run: (node) => host.keys.connect(node) },
  { name: "open", keys: ["Enter"], label: t`Settings of this step`, icon: "sliders-horizontal", needs: "step", run: (node) => host.edit.begin(node) },
  { name: "rename", keys: ["F2"], label: t`Rename this step`, icon: "pencil", edits: true, needs: "step", run: (node) => host.naming.write(node) },
  { name: "switch", keys: ["d"], label: t`Switch off, or on again`, icon: "power", edits: true, needs: "some", run: (node, ids) => host.edit.switch(ids) },
  { name: "detach", keys: ["Shift+d"], label: t`Take out of the chain, which goes on without it`, icon: "unplug", edits: true, needs: "some", run: (node, ids) => host.edit.detach(ids) },
  { name: "step-help", keys: ["h"], label: t`What this step does`, icon: "circle-question-mark", needs: "step", run: (node) => open(`/steps/${encodeURIComponent(node.type)}`, "_blank", "noopener") },
  { name: "select", keys: [" "], label: t`Select this step, or hold to move the view`, icon: "square-mouse-pointer", hidden: true, run: (node) => (node ? host.toggle(node.id) : (host.dataset.hand = "")) },
  { name: "delete", keys: ["Delete", "Backspace"], label: t`Remove, the chain is kept`, icon: "trash-2", edits: true, needs: "wire", run: (node) => host.keys.remove(node) },
  { name: "insert", keys: [], label: t`Insert a step into this wire`, icon: "plus", edits: true, hidden: true, when: () => Boolean(host.connect.picked), run: () => host.connect.insert(host.connect.picked) },
  { name: "copy", keys: ["Ctrl+c"], label: t`Copy`, icon: "copy", needs: "some", run: (node) => host.clipboard.copy(host.keys.chosen(node)) },
  { name: "cut", keys: ["Ctrl+x"], label: t`Cut`, icon: "scissors", edits: true, needs: "some", run: (node) => host.clipboard.cut(host.keys.chosen(node)) },
  { name: "paste", keys: ["Ctrl+v"], label: t`Paste`, icon: "clipboard-paste", edits: true, native: true, run: () => host.clipboard.pasteHere() },
  { name: "duplicate", keys: ["Ctrl+d"], label: t`Duplicate`, icon: "copy-plus", edits: true, needs: "some", run: (node) => host.clipboard.duplicate(host.keys.chosen(node)) },
  { name: "select-all", keys: ["Ctrl+a"], label: t`Select everything`, icon: "box-select", run: () => host.select([...host.graph.nodes.keys()], { open: false }) },
  { name: "undo", keys: ["Ctrl+z", "z"], label: t`Undo`, icon: "undo-2", edits: true, run: () => host.step("undo") },
  { name: "redo", keys: ["Ctrl+Shift+z", "Shift+z", "Ctrl+y"], label: t`Redo`, icon: "redo-2", edits: true, run: () => host.step("redo") },
  { name: "group", keys: ["g", "Ctrl+g"], label: t`Put into a group`, icon: "group", edits: true, needs: "some", run: (node, ids) => host.groups.make(ids) },
  { name: "ungroup", keys: ["Shift+g", "Ctrl+Shift+g"], label: t`Take the group apart`, icon: "ungroup", edits: true, needs: "group", run: (node) => host.groups.apart(node) },
  { name: "fold", keys: ["f"], label: t`Fold or unfold the group`, icon: "fold-vertical", edits: true, needs: "group", run: (node) => host.groups.fold(node) },
  { name: "into-flow", keys: [], label: t`Make a flow of the selected steps`, icon: "package-plus", edits: true, needs: "some", run: (node, ids) => host.groups.collapse(ids) },
  { name: "out-of-flow", keys: [], label: t`Put the steps of this flow back here`, icon: "package-open", edits: true, needs: "subflow", run: (node) => host.groups.expand(node) },
  { name: "note", keys: ["n"], label: t`Write a note`, icon: "sticky-note", edits: true, run: () => host.edit.note() },
  { name: "arrange", keys: ["Shift+a"], label: t`Arrange the steps`, icon: "layout-grid", edits: true, run: () => host.edit.arrange() },
  ...Object.keys(ALIGN).map((how) => ({ name: `align-${how}`, keys: [], label: SIDES[how], ...SIDE_ICONS[how], edits: true, needs: "many", run: (node, ids) => host.edit.align(ids, how) })),
  { name: "distribute-across", keys: [], label: t`Same gaps across`, icon: "align-horizontal-space-around", edits: true, needs: "three", run: (node, ids) => host.edit.distribute(ids, "across") },
  { name: "distribute-down", keys: [], label: t`Same gaps down`, icon: "align-vertical-space-around", edits: true, needs: "three", run: (node, ids) => host.edit.distribute(ids, "down") },
  { name: "find", keys: ["Ctrl+f"], label: t`Find in this flow`, icon: "text-search", run: () => host.finder.open() },
  { name: "comments", keys: ["m"], label: t`Comments`, icon: "message-square", run: (node) => host.comments.open(node) },
  { name: "try", keys: ["r"], label: t`Try it`, icon: "play", run: () => host.tryIt() },
  { name: "try-same", keys: ["t"], label: t`Try again with the same input`, icon: "rotate-cw", edits: true, run: () => host.runs.face.same() },
  { name: "run-only", keys: ["o"], label: t`Run only this step`, icon: "play", edits: true, needs: "step", run: (node) => host.runs.again("only", node.id) },
  { name: "run-here", keys: ["Shift+r"], label: t`Run to here`, icon: "arrow-right-to-line", edits: true, needs: "step", run: (node) => host.runs.again("here", node.id) },
  { name: "run-from", keys: ["Shift+o"], label: t`Retry from here`, icon: "rotate-cw", edits: true, needs: "step", run: (node) => host.runs.again("from", node.id) },
  { name: "break", keys: ["b"], label: t`Pause before this step in my tries, or no more`, icon: "circle-pause", edits: true, needs: "step", run: (node) => host.runs.breaks.toggle(node.id) },
  { name: "break-first", keys: ["Shift+b"], label: t`Pause before its first round only`, icon: "circle-dot", edits: true, needs: "step", run: (node) => host.runs.breaks.toggle(node.id, "first") },
  { name: "breaks-away", keys: [], label: t`Take all my breakpoints away`, icon: "circle-off", edits: true, when: () => host.runs.breaks.nodes.size > 0, run: () => host.runs.breaks.away() },
  { name: "heat", keys: ["Shift+h"], label: t`Colour the steps by time, cost, tokens of this run`, icon: "flame", when: () => host.runs.steps.size > 0, run: () => host.runs.heat.next() },
  { name: "go-on", keys: ["F8"], label: t`Go on to the next breakpoint`, icon: "play", edits: true, when: () => Boolean(host.runs.breaks.paused), run: () => host.runs.breaks.goOn("next") },
  { name: "one-step", keys: ["F10"], label: t`Go on by one step`, icon: "step-forward", edits: true, when: () => Boolean(host.runs.breaks.paused), run: () => host.runs.breaks.goOn("step") },
  { name: "to-the-end", keys: ["Shift+F8"], label: t`Go on to the end`, icon: "skip-forward", edits: true, when: () => Boolean(host.runs.breaks.paused), run: () => host.runs.breaks.goOn("end") },
  { name: "skip-step", keys: [], label: t`Skip the step it pauses before`, icon: "redo-dot", edits: true, when: () => Boolean(host.runs.breaks.paused), run: () => host.runs.breaks.goOn("skip") },
  { name: "stop-run", keys: [], label: t`Stop the run`, icon: "square", edits: true, when: () => host.runs.active || Boolean(host.runs.breaks.paused), run: () => host.runs.stop() },
  { name: "fit", keys: ["0", "Ctrl+0"], label: t`Show everything`, icon: "maximize", run: () => host.fit(true) },
  { name: "zoom-selection", keys: ["2"], label: t`Zoom to what is selected`, icon: "scan-search", run: () => host.zoomToSelection() },
  { name: "zoom-full", keys: ["1"], label: t`Zoom to 100 %`, icon: "search", run: () => host.view.zoom(1 / host.view.k) },
  { name: "zoom-in", keys: ["+", "="], label: t`Zoom in`, icon: "zoom-in", run: () => host.view.zoom(1.25) },
  { name: "zoom-out", keys: ["-"], label: t`Zoom out`, icon: "zoom-out", run: () => host.view.zoom(0.8) },
  { name: "escape", keys: ["Escape"], label: t`Let go, then close, then unselect`, hidden: true, run: () => host.keys.escape() },
  { name: "menu", keys: ["Shift+F10", "ContextMenu"], label: t`What can be done here`, run: (node) => host.menu.byKey(node) },
  { name: "first", keys: ["Home"], label: t`First step`, icon: "arrow-left-to-line", run: () => host.keys.go(host.graph.ordered()[0]) },
  { name: "last", keys: ["End"], label: t`Last step`, icon: "arrow-right-to-line", run: () => host.keys.go(host.graph.ordered().at(-1)) },
  { name: "close-panel", keys: [], label: t`Close the panel`, hidden: true, run: () => host.closePanel() },
  { name: "close-drawer", keys: [], label: t`Close the run`, hidden: true, run: () => host.closeDrawer() },
]

// Keys that act by themselves and only stand on the sheet.
const TOLD = [
  ["Tab", t`Add a step where the pointer is`],
  ["Space", t`Select, or hold to move the view`],
  ["ArrowRight", t`Move by 8 px, with Shift 40`],
  ["Alt+ArrowRight", t`Follow the wires`],
  ["Alt+Shift+ArrowRight", t`Resize a note, a group or a container`],
]

export class Actions {
  constructor(host) {
    this.host = host
    this.list = actionsOf(host)
    this.byName = new Map(this.list.map((action) => [action.name, action]))
    this.byKey = new Map(this.list.flatMap((action) => action.keys.map((key) => [key, action])))
    this.tell()
    document.addEventListener("palette:ask", (this.asked = (e) => e.detail.offer(...this.offers())))
  }

  stop() {
    document.removeEventListener("palette:ask", this.asked)
  }

  // What Ctrl K can reach besides the deeds: every step of this flow, and every component as a new step.
  offers() {
    const { graph, catalogue, editable, palette, selection } = this.host
    const steps = graph.ordered().map((node) => ({
      name: node.title,
      note: t`step, ${node.el.dataset.kind || NOTE}`,
      tile: node.el.querySelector(".tile"),
      icon: node.group ? "group" : "sticky-note",
      run: () => this.host.jump(node.id),
    }))
    if (!editable) return steps
    const after = selection.size === 1 ? graph.nodes.get([...selection][0]) : null
    const types = Object.entries(catalogue.types).map(([type, look]) => ({
      name: t`Add step: ${look.title}`,
      called: look.title,
      note: after && !after.note ? t`after “${after.title}”` : look.summary,
      words: type,
      does: true,
      tile: palette.icon(type),
      run: () => palette.add(type),
    }))
    return [...steps, ...types]
  }

  // To the page's one registry of keys and deeds (static/src/elements/keys.js).
  tell() {
    const say = (detail) => document.dispatchEvent(new CustomEvent("keys:tell", { detail: { group: t`Canvas`, ...detail } }))
    for (const action of this.list) {
      if (action.hidden) continue
      const combo = (action.keys[0] ?? "").replace("Ctrl", "Mod").replace(/(^|\+)([a-z])$/, (_, plus, letter) => plus + letter.toUpperCase())
      say({ combo, label: action.label, icon: action.icon, deed: () => this.act(action), able: () => this.able(action) })
    }
    for (const [combo, label] of TOLD) say({ combo, label })
  }

  // The step a deed is about, and the steps it acts on.
  subject(node) {
    const { selection, graph, keys } = this.host
    const ids = node && !selection.has(node.id) ? [node.id] : [...selection]
    const one = node ?? (ids.length === 1 ? graph.nodes.get(ids[0]) : null)
    return { node: one ?? null, ids: ids.length || !one ? ids : [one.id], at: keys.at }
  }

  able(action, focused = this.host.keys.focusedNode()) {
    if (action.edits && !this.host.editable) return false
    if (action.when && !action.when()) return false
    const { node, ids } = this.subject(focused)
    switch (action.needs) {
      case "step":
        return Boolean(node)
      case "some":
        return ids.length > 0
      case "wire":
        return ids.length > 0 || Boolean(this.host.connect.picked)
      case "many":
        return ids.length > 1
      case "three":
        return ids.length > 2
      case "group":
        return Boolean(node && (node.group || this.host.graph.groupOf(node.id)))
      case "subflow":
        return node?.type === "logic.flow"
      default:
        return true
    }
  }

  // By name, from a button: what the deed is about may be the step whose panel is open.
  run(name) {
    const action = this.byName.get(name)
    if (!action) return false
    const inPanel = this.host.graph.nodes.get(this.host.panel.node)
    this.act(action, inPanel && !this.host.selection.has(inPanel.id) ? inPanel : undefined)
    return true
  }

  act(action, focused = this.host.keys.focusedNode()) {
    if (!this.able(action, focused)) return
    const { node, ids } = this.subject(focused)
    action.run(node, ids)
  }
}
