// A run taken up again: a step alone, as far as it, on from it. What came before is taken over from the run shown here.

import { changed, refused } from "./value-fields.js"
import { t } from "../words.js"

const SAID = { only: t`Runs this step alone`, here: t`Runs as far as this step`, from: t`Goes on from this step` }

export const Again = (Base) =>
  class extends Base {
    // From the step's panel: the form of templates/studio/_again.html.
    listen() {
      this.host.part("panel").addEventListener("submit", (e) => {
        const form = e.target.closest("[data-again-step]")
        if (!form) return
        e.preventDefault()
        e.stopPropagation()
        const edits = changed(form)
        if (edits) this.again(e.submitter?.value || "only", form.dataset.againStep, edits, form)
      })
    }

    async again(how, step, edits = {}, form = null) {
      const { host } = this
      if (this.active) return host.toast(t`A run goes on. Stop it first.`)
      const node = host.graph.nodes.get(step)
      if (!node || node.note) return
      if (!this.id) return this.first(how, node)
      const origin = this.id
      await host.outbox.flush()
      this.leave()
      const anew = this.reached(how, step)
      const before = new Map(this.steps)
      this.began("again")
      if (how === "here") this.steps.clear()
      for (const id of anew) this.steps.set(id, { status: "queued" })
      this.dressAll()
      host.say(`${SAID[how]}: ${node.title}`)
      const no = await this.follow(`/tries/${origin}/continuations`, { how, step, edits })
      if (no) return this.refused(no, before, origin, form)
      if (host.panel.node === step) host.panel.open(step, { again: true })
    }

    // Nothing began: the run that was shown is shown again.
    refused({ words, node, field }, before, origin, form) {
      const { host } = this
      Object.assign(this, { active: false, steps: before, id: origin })
      this.talk.answer = null
      this.controls()
      this.dressAll()
      if (!(form && field && refused(form, field, words))) host.toast(words)
      if (node) host.jump(node)
    }

    // Nothing ran yet: there is no input to take over, so the test face asks for one.
    async first(how, node) {
      if (how !== "here") return this.host.toast(t`Run the flow once: then a step can be run by itself with what came in.`)
      this.upto = node.id
      await this.host.panel.tryIt()
      this.host.toast(t`Say what starts the run. It stops after “${node.title}”.`)
    }

    // The steps that run anew: the one itself, with those it needs ("here") or those that need it ("from").
    reached(how, step) {
      const found = new Set([step])
      if (how === "only") return found
      const todo = [step]
      while (todo.length) {
        const at = todo.pop()
        for (const edge of this.host.graph.wires.get(at) ?? []) {
          const next = how === "here" ? (edge.to === at ? edge.from : "") : edge.from === at ? edge.to : ""
          if (next && !found.has(next)) {
            found.add(next)
            todo.push(next)
          }
        }
      }
      return found
    }
  }
