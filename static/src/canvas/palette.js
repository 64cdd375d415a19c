// The steps one can add: the left panel (search, families, drag, Enter) and the quick list at the pointer.

import { portOf } from "./graph.js"
import { t } from "../words.js"

export class Palette {
  constructor(host) {
    this.host = host
    this.panel = host.part("palette")
    this.rail = host.part("rail")
    this.search = this.panel.querySelector("input")
    this.rail.addEventListener("click", (e) => {
      const button = e.target.closest("button[data-family]")
      if (button) this.toggle(button.dataset.family)
    })
    this.search.addEventListener("input", () => this.filter())
    this.panel.addEventListener("keydown", (e) => this.key(e))
    this.panel.addEventListener("click", (e) => {
      const item = e.target.closest("[data-add]")
      if (item && !this.dragged) this.add(item.dataset.add)
      else if (e.target.closest("[data-close]")) this.close(true)
      this.dragged = false
    })
    this.panel.addEventListener("pointerdown", (e) => this.lift(e))
    const recent = () => this.recentTypes().forEach((type) => this.remember(type, false))
    recent()
  }

  get open() {
    return !this.panel.hidden
  }

  toggle(family = "") {
    if (this.open && this.family === family) return this.close(true)
    this.show(family)
  }

  // What is added goes after the step that has the focus, as after a selected one.
  showAfter(node) {
    const { selection } = this.host
    if (node && !(selection.size === 1 && selection.has(node.id))) this.host.select([node.id], { open: false })
    this.show()
  }

  show(family = "") {
    if (!this.host.editable) return
    this.back = document.activeElement
    this.family = family
    this.panel.hidden = false
    this.search.value = ""
    this.filter()
    for (const b of this.rail.querySelectorAll("[data-family]")) b.setAttribute("aria-expanded", String(b.dataset.family === family))
    this.search.focus()
  }

  close(back = false) {
    if (!this.open) return
    back &&= this.panel.contains(document.activeElement) // who has gone on to a step stays there
    this.panel.hidden = true
    for (const b of this.rail.querySelectorAll("[data-family]")) b.setAttribute("aria-expanded", "false")
    if (back && this.back?.isConnected) this.back.focus({ preventScroll: true })
  }

  // With words typed, all families are searched; without, only the chosen one is shown.
  filter() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean)
    let hits = 0
    for (const item of this.panel.querySelectorAll("[data-add]")) {
      const fits = words.length
        ? words.every((w) => item.dataset.words.includes(w)) && !item.closest("[data-recent]")
        : !this.family || item.closest("[data-group]")?.dataset.group === this.family
      item.parentElement.hidden = !fits
      if (fits) hits++
    }
    for (const group of this.panel.querySelectorAll("[data-group]")) {
      const some = [...group.querySelectorAll("[data-add]")].some((item) => !item.parentElement.hidden)
      group.hidden = !some
    }
    this.panel.querySelector(".palette__none").hidden = hits > 0
    for (const item of this.panel.querySelectorAll("[data-best]")) delete item.dataset.best
    const shown = this.items()
    if (words.length && shown.length) this.best(shown).dataset.best = ""
  }

  items() {
    return [...this.panel.querySelectorAll("[data-add]")].filter((el) => !el.parentElement.hidden && !el.closest("[hidden]"))
  }

  // What Enter adds: a step whose name begins with the words typed comes before one that only mentions them.
  best(items) {
    const words = this.search.value.trim().toLowerCase()
    const rank = (el) => {
      const title = el.querySelector(".step-palette__title").textContent.toLowerCase()
      return title === words ? 0 : title.startsWith(words) ? 1 : title.includes(words) ? 2 : 3
    }
    return items.reduce((a, b) => (rank(b) < rank(a) ? b : a))
  }

  key(e) {
    const items = this.items()
    const at = items.indexOf(document.activeElement)
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      e.preventDefault()
      const next = at + (e.key === "ArrowDown" ? 1 : -1)
      if (next < 0) this.search.focus()
      else items[Math.min(next, items.length - 1)]?.focus()
    } else if (e.key === "Enter" && e.target === this.search) {
      e.preventDefault()
      if (items.length) this.add(this.best(items).dataset.add)
    } else if (e.key === "Escape") {
      e.preventDefault()
      this.close(true)
    }
    e.stopPropagation()
  }

  add(type, at = null) {
    const near = matchMedia("(max-width: 900px)").matches
    if (near) this.close()
    this.host.edit.add(type, { at })
    this.remember(type)
  }

  // Drag from the list onto the canvas: a ghost follows, the step lands under the pointer.
  lift(e) {
    const item = e.target.closest("[data-add]")
    if (!item || e.button !== 0 || e.pointerType === "touch") return
    const from = { x: e.clientX, y: e.clientY }
    let ghost = null
    const move = (m) => {
      if (!ghost && Math.hypot(m.clientX - from.x, m.clientY - from.y) < 6) return
      if (!ghost) {
        ghost = item.cloneNode(true)
        ghost.removeAttribute("id")
        ghost.className = "palette__ghost"
        ghost.setAttribute("aria-hidden", "true")
        this.host.append(ghost)
        this.dragged = true
      }
      const box = this.host.getBoundingClientRect()
      ghost.style.transform = `translate(${m.clientX - box.left - 20}px, ${m.clientY - box.top - 16}px)`
    }
    const stop = (up) => {
      document.removeEventListener("pointermove", move)
      document.removeEventListener("pointerup", stop)
      document.removeEventListener("pointercancel", stop)
      if (!ghost) return
      ghost.remove()
      setTimeout(() => (this.dragged = false))
      const under = document.elementFromPoint(up.clientX, up.clientY)
      if (up.type !== "pointerup" || !this.host.contains(under) || under.closest("[data-bar]")) return
      const at = this.host.view.at(up.clientX, up.clientY)
      const edge = this.host.connect.edgeUnder(at)
      if (edge) this.host.edit.add(item.dataset.add, { onto: edge })
      else this.add(item.dataset.add, at)
    }
    document.addEventListener("pointermove", move)
    document.addEventListener("pointerup", stop)
    document.addEventListener("pointercancel", stop)
  }

  recentTypes() {
    return JSON.parse(localStorage.getItem("agentbase.recent") ?? "[]")
  }

  remember(type, store = true) {
    const group = this.panel.querySelector("[data-recent]")
    const source = this.panel.querySelector(`[data-group]:not([data-recent]) [data-add="${CSS.escape(type)}"]`)
    if (!group || !source) return
    group.querySelector(`[data-add="${CSS.escape(type)}"]`)?.parentElement.remove()
    const copy = source.parentElement.cloneNode(true)
    copy.hidden = this.family !== "" && this.open
    group.querySelector("ul").prepend(copy)
    const all = [...group.querySelectorAll("[data-add]")]
    for (const el of all.slice(3)) el.parentElement.remove()
    if (store) localStorage.setItem("agentbase.recent", JSON.stringify(all.slice(0, 3).map((el) => el.dataset.add).reverse()))
  }

  icon(type) {
    return this.panel.querySelector(`[data-add="${CSS.escape(type)}"] .tile`)
  }

  // Tab: the short list where the mouse rests.
  quickHere() {
    const at = this.host.pointer.rests
    const edge = this.host.connect.edgeUnder(at)
    this.quick({ at, onto: edge, x: at.clientX, y: at.clientY })
  }

  // The short list at a point. from: a wire's loose end; onto: a wire to insert into; between: two ends that do not fit.
  quick({ from = null, onto = null, between = null, why = "", at, x, y }) {
    if (!this.host.editable) return
    const { catalogue, connect, graph } = this.host
    const fits = (type, look) => {
      const input = (t) => look.inputs.some((p) => !p.inside && connect.typesFit(t, p.type))
      const output = (t) => look.outputs.some((p) => !p.inside && connect.typesFit(p.type, t))
      if (between) return input(between.out.port.type) && output(between.into.port.type)
      if (onto) {
        const target = graph.nodes.get(onto.to).ports.find((p) => p.side === "in" && p.name === portOf(onto.target))
        return input(onto.type) && output(target?.type ?? "any")
      }
      if (from?.side === "out") return input(from.port.type)
      if (from) return output(from.port.type)
      return true
    }
    const exact = (look) => {
      const t = from?.port.type ?? between?.out.port.type ?? onto?.type
      return t && look.inputs.some((p) => p.type === t) ? 0 : 1
    }
    const items = Object.entries(catalogue.types)
      .filter(([type, look]) => fits(type, look))
      .sort((a, b) => exact(a[1]) - exact(b[1]))
      .map(([type, look]) => ({
        label: look.title,
        hint: look.summary,
        words: type,
        icon: this.icon(type),
        run: () => {
          this.host.edit.add(type, { at, from, onto, between })
          this.remember(type)
        },
      }))
    const title = between ? t`It ${why}. Put a step between?` : from ? t`Which step comes next?` : onto ? t`Which step goes in between?` : t`Add a step`
    this.host.picker.open({ title, items, x, y, empty: t`No step here takes that.` })
  }
}
