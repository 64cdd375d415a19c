// What comes from the server after edits: fresh renderings, problems, the whole document anew.

import { csrf, sentence } from "./outbox.js"
import { markup } from "./swap.js"
import { plural, t } from "../words.js"

export const Answers = (Base) =>
  class extends Base {
    adopted(el) {
      if (this.selection.has(el.dataset.id)) this.mark(el.dataset.id, true)
      this.people.adopted(el)
      this.comments.adopted(el)
      this.runs.dress(this.graph.nodes.get(el.dataset.id))
    }

    changed() {
      for (const id of [...this.selection]) if (!this.graph.nodes.has(id)) this.selection.delete(id)
      if (this.panel.node && !this.graph.nodes.has(this.panel.node)) this.closePanel()
      this.graph.refold()
      this.keys.rove()
      this.comments.draw()
      this.connect.forget()
      this.chosenChanged()
      this.part("empty")?.toggleAttribute("hidden", this.graph.nodes.size > 0)
      this.world.setAttribute("aria-label", plural(this.graph.nodes.size, "Canvas, {1} step", "Canvas, {1} steps"))
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
          if (!this.notes.holds(node.id, fresh) && !this.naming.holds(node.id, fresh)) this.put(fresh, node)
        } else old?.replaceWith(fresh)
      }
      this.connect.forget()
      this.view.draw()
    }

    // A step's fresh rendering takes the place of the old one; focus and place in the tab order stay.
    put(fresh, node) {
      const old = node.el
      const focused = old.contains(document.activeElement)
      fresh.tabIndex = old.tabIndex
      old.replaceWith(fresh)
      this.graph.put(this.graph.adopt(fresh))
      fresh.hidden = Boolean(node.away)
      this.graph.refold()
      this.adopted(fresh)
      if (focused) fresh.focus({ preventScroll: true })
    }

    // What an answer says besides the document: problems, what can be undone, errors of fields.
    answered(answer) {
      for (const which of ["undo", "redo"]) {
        if (answer[which] === undefined) continue
        for (const button of document.querySelectorAll(`[data-canvas="${which}"]`)) button.toggleAttribute("disabled", !answer[which])
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
        this.toast(sentence(answer) || t`No connection. Nothing was done.`)
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
  }
