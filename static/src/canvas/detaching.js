// Steps taken out of their chain: they stay where they are, without wires; what came in goes on to what came after,
// where the types fit (app/studio/outline/intents.py does the same for the outline).

import { edgeId, nodeOf, port, portOf } from "./graph.js"
import { plural, t } from "../words.js"

export const Detaching = (Base) =>
  class extends Base {
    detach(ids) {
      const steps = ids.map((id) => this.graph.nodes.get(id)).filter((n) => n && !n.note)
      const ops = this.bridged(steps)
      if (!ops.length) return this.host.say(t`There is no wire to let go of`)
      this.run(ops)
      if (steps.length === 1) this.host.removed(t`“${steps[0].title}” taken out of the chain.`)
      else this.host.removed(plural(steps.length, "{1} step taken out of the chain.", "{1} steps taken out of the chain."))
    }

    // One after the other, so that of two in a row what came before leads on to what comes after both.
    bridged(steps) {
      const wires = new Map(this.graph.edges)
      const ops = []
      for (const { id } of steps) {
        const own = [...wires.values()].filter((e) => (e.from === id && !this.graph.within(e.to, id)) || (e.to === id && !this.graph.within(e.from, id)))
        for (const edge of own) {
          ops.push({ op: "edge.delete", from: edge.source, to: edge.target })
          wires.delete(edge.id)
        }
        for (const { target } of own.filter((edge) => edge.from === id)) {
          const source = own.find((edge) => edge.to === id && this.leads(edge.source, target))?.source
          const made = source && edgeId(source, target)
          if (!made || wires.has(made)) continue
          wires.set(made, { id: made, source, target, from: nodeOf(source), to: nodeOf(target) })
          ops.push({ op: "edge.add", from: source, to: target })
        }
      }
      return ops
    }

    leads(source, target) {
      const { graph, host } = this
      const [a, b] = [graph.nodes.get(nodeOf(source)), graph.nodes.get(nodeOf(target))]
      const [out, into] = [port(a, "out", portOf(source)), port(b, "in", portOf(target))]
      return Boolean(out && into && !host.connect.why(a, out, b, into))
    }
  }
