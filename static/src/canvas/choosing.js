// Which steps are selected, which one has the focus, and how one gets to a step.

import { box } from "./graph.js"
import { plural, t } from "../words.js"

export const Choosing = (Base) =>
  class extends Base {
    select(ids, { open = true, quiet = false, keep = false } = {}) {
      this.connect.unpick()
      const wanted = new Set([...ids].filter((id) => this.graph.nodes.has(id)))
      for (const id of this.selection) if (!wanted.has(id)) this.mark(id, false)
      for (const id of wanted) if (!this.selection.has(id)) this.mark(id, true)
      this.selection = wanted
      this.view.draw()
      this.chosenChanged()
      const [only] = wanted
      if (wanted.size === 1 && open && !this.graph.nodes.get(only).group) this.openPanel(only)
      else if ((wanted.size !== 1 || open) && this.panel.node && !keep) this.closePanel()
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
      this.say(next.has(id) ? t`${this.graph.nodes.get(id).title} selected` : t`${this.graph.nodes.get(id).title} not selected`)
    }

    saySelection() {
      const n = this.selection.size
      if (n > 1) this.say(plural(n, "{1} step selected", "{1} steps selected"))
    }

    // The bar for what is selected, and others (people who look at this flow) who want to know.
    chosenChanged() {
      const bar = this.part("selection")
      const n = this.selection.size
      if (bar) {
        bar.hidden = n < 2
        this.part("keys")?.toggleAttribute("hidden", n > 1)
        bar.querySelector("[data-count]").textContent = plural(n, "{1} step", "{1} steps")
      }
      this.people?.moved()
    }

    focusNode(id, show = true) {
      const node = this.graph.nodes.get(id)
      if (!node) return
      if (show) this.view.show(box(node))
      this.culling.need(node)
      node.el.tabIndex = 0
      node.el.focus({ preventScroll: true })
    }

    jump(id, field = "") {
      const node = this.graph.nodes.get(id)
      if (!node) return this.toast(t`This step was deleted.`)
      this.edit.reveal(id)
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

    // Everything; or what is selected, when that is more than one step.
    fit(all = false) {
      const chosen = all ? [] : [...this.selection].map((id) => this.graph.nodes.get(id))
      const shown = [...this.graph.nodes.values()].filter((n) => !n.away)
      this.view.fit(this.graph.bounds(chosen.length > 1 ? chosen : shown))
      this.view.auto = chosen.length < 2 ? () => this.fit(true) : null
    }

    zoomToSelection() {
      const chosen = [...this.selection, this.keys.at].slice(0, this.selection.size || 1).map((id) => this.graph.nodes.get(id))
      if (!chosen[0]) return this.fit()
      this.view.fit(this.graph.bounds(chosen), 1.25)
      this.view.auto = null
    }
  }
