// What can be done here: the menu of a step, a wire, a group, a selection or the ground. Opened by right click, by a
// finger that rests, by the menu key. Its lines are the deeds of actions.js with their keys; what can't be done now is
// left out. Arrows, letters, Home and End are <pop-menu>'s.

import { icon } from "./icon.js"
import { plural, rtl, t } from "../words.js"

const LINES = {
  step: [["open", "rename", "add", "connect", "switch", "detach"], ["run-only", "run-here", "run-from", "break"], ["copy", "cut", "duplicate", "group", "out-of-flow"], ["comments", "step-help"], ["delete"]],
  note: [["open", "group"], ["copy", "cut", "duplicate"], ["delete"]],
  group: [["open", "rename", "fold", "ungroup"], ["copy", "cut", "duplicate", "into-flow"], ["delete"]],
  wire: [["insert"], ["delete"]],
  selection: [["group", "into-flow", "arrange", "distribute-across", "distribute-down", "zoom-selection"], ["copy", "cut", "duplicate", "switch", "detach"], ["delete"]],
  ground: [["add-here", "note", "paste"], ["select-all", "arrange", "fit", "find"], ["try", "heat", "stop-run"], ["undo", "redo"]],
}
// Where the general words of a deed would not say what it does here.
const WORDS = {
  step: { add: t`Add a step after this one`, detach: t`Take out of the chain`, break: t`Pause before this step`, delete: t`Remove` },
  note: { open: t`Write`, delete: t`Remove` },
  group: { open: t`Settings of this group`, rename: t`Rename this group`, "into-flow": t`Make a flow of its steps`, delete: t`Remove` },
  ground: { "add-here": t`Add a step here`, note: t`Write a note here`, paste: t`Paste here` },
}
const MAC = /Mac|iP(hone|ad)/.test(navigator.platform)

export class Menu {
  constructor(host) {
    this.host = host
    this.el = host.part("menu")
    host.addEventListener("contextmenu", (e) => this.asked(e))
    this.el.addEventListener("contextmenu", (e) => e.preventDefault())
    this.el.addEventListener("keydown", (e) => this.key(e))
    this.el.addEventListener("pointerdown", () => (this.pressed = true))
    this.el.addEventListener("click", (e) => this.click(e), true)
    // As the picker's: an automatic popover would close at the pointerup of the very press that asked for it.
    this.outside = (e) => this.el.contains(e.target) || this.close(false)
    this.leave = () => this.close(false)
  }

  // A finger asks by resting (pointer.js); its browser's own event comes besides and would ask again.
  asked(e) {
    if (e.target.closest("input, textarea, [data-bar]:not(.wire-tools)")) return
    e.preventDefault()
    if (e.pointerType === "touch" || this.host.pointer.gesture) return
    if (e.pointerType === "mouse") this.at(e)
  }

  // By key: at the step that has the focus, else at what is selected, else in the middle of the view.
  byKey(node) {
    const { host } = this
    const chosen = node ?? host.graph.nodes.get([...host.selection][0])
    const box = (chosen?.el ?? host).getBoundingClientRect()
    const [x, y] = chosen ? [box.left + Math.min(48, box.width / 2), box.top + Math.min(44, box.height / 2)] : [box.left + box.width / 2, box.top + box.height / 3]
    if (node && host.selection.has(node.id) && host.selection.size > 1) this.open("selection", null, x, y)
    else if (chosen) this.open(kind(chosen), chosen, x, y)
    else if (host.connect.picked) this.open("wire", null, x, y)
    else this.open("ground", null, x, y)
  }

  // By pointer: at what lies there. A step that is not among the selected ones becomes the selected one.
  at(e) {
    const { host } = this
    const at = host.view.at(e.clientX, e.clientY)
    const node = host.pointer.hit(e, at)
    const edge = (!node || node.container || node.group) && host.connect.edgeUnder(at)
    if (edge) {
      host.connect.pick(edge)
      return this.open("wire", null, e.clientX, e.clientY)
    }
    if (!node) {
      host.select([], { open: false, keep: true })
      return this.open("ground", null, e.clientX, e.clientY)
    }
    if (host.selection.has(node.id) && host.selection.size > 1) return this.open("selection", node, e.clientX, e.clientY)
    if (!host.selection.has(node.id)) host.select([node.id], { open: false })
    host.focusNode(node.id, false)
    this.open(kind(node), node, e.clientX, e.clientY)
  }

  open(what, node, x, y) {
    const { host } = this
    this.close(false)
    host.palette.close()
    this.node = node
    this.pressed = false
    this.rests = { ...host.view.at(x, y), clientX: x, clientY: y } // "add here" and "paste" mean this point
    host.pointer.rests = this.rests
    const words = { ...WORDS[what], switch: this.off(node) ? t`Switch on` : t`Switch off` }
    const able = (name) => {
      const action = host.actions.byName.get(name)
      return action && host.actions.able(action, node) ? [this.line(action, words[name])] : []
    }
    const groups = LINES[what].map((names) => names.flatMap(able)).filter((lines) => lines.length)
    if (!groups.length) return
    this.back = host.contains(document.activeElement) ? document.activeElement : host.world
    this.el.setAttribute("aria-label", this.title(what, node))
    this.el.replaceChildren(...groups.flatMap((lines, i) => (i ? [rule(), ...lines] : lines)))
    this.el.showPopover()
    const box = this.el.getBoundingClientRect()
    const back = x - box.width
    const left = rtl ? (back < 8 ? x : back) : x + box.width + 8 > innerWidth ? back : x
    this.el.style.left = `${Math.max(8, Math.min(left, innerWidth - box.width - 8))}px`
    this.el.style.top = `${Math.max(8, Math.min(y, innerHeight - box.height - 8))}px`
    this.el.querySelector("[role=menuitem]").focus({ preventScroll: true })
    document.addEventListener("pointerdown", this.outside, true)
    host.addEventListener("wheel", this.leave, { passive: true })
    addEventListener("blur", this.leave)
  }

  off(node) {
    const { selection, graph } = this.host
    const steps = node && !selection.has(node.id) ? [node] : [...selection].map((id) => graph.nodes.get(id))
    return steps.length > 0 && steps.every((n) => n.off || n.note)
  }

  title(what, node) {
    if (what === "selection") return plural(this.host.selection.size, "{1} step", "{1} steps")
    if (what === "wire") return t`Wire`
    return node ? t`Step “${node.title}”` : t`Canvas`
  }

  line(action, said = action.label) {
    const el = document.createElement("button")
    el.type = "button"
    el.className = action.name === "delete" ? "menu__item menu__item--danger" : "menu__item"
    el.setAttribute("role", "menuitem")
    el.dataset.deed = action.name
    const words = Object.assign(document.createElement("span"), { className: "menu__words", textContent: said })
    el.append(icon(this.host, action.icon), words)
    if (action.keys[0]) {
      const key = Object.assign(document.createElement("span"), { className: "key", textContent: caps(action.keys[0]) })
      key.setAttribute("aria-hidden", "true")
      el.setAttribute("aria-keyshortcuts", action.keys[0].replace("Ctrl", MAC ? "Meta" : "Control"))
      el.append(key)
    }
    return el
  }

  // The click that ends the very press by which the menu was asked for chooses nothing.
  click(e) {
    const line = e.target.closest("[data-deed]")
    e.stopPropagation()
    if (line && (this.pressed || e.detail === 0)) this.choose(line)
  }

  choose(line) {
    const { host, node, rests } = this
    this.close(true)
    host.pointer.rests = rests // the way over the menu led away from the canvas
    host.actions.act(host.actions.byName.get(line.dataset.deed), node && host.graph.nodes.has(node.id) ? node : null)
  }

  key(e) {
    e.stopPropagation()
    if (e.key !== "Escape" && e.key !== "Tab") return
    e.preventDefault()
    this.close(true)
  }

  close(back) {
    document.removeEventListener("pointerdown", this.outside, true)
    this.host.removeEventListener("wheel", this.leave)
    removeEventListener("blur", this.leave)
    if (this.el.matches(":popover-open")) this.el.hidePopover()
    if (back && this.back?.isConnected) this.back.focus({ preventScroll: true })
  }
}

const kind = (node) => (node.group ? "group" : node.note ? "note" : "step")
const rule = () => Object.assign(document.createElement("hr"), { className: "menu__rule" })
const caps = (key) => key.split("+").map((part) => (part === "Ctrl" && MAC ? "⌘" : part.length === 1 ? part.toUpperCase() : part)).join(" ")
