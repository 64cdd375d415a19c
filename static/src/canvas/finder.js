// Ctrl F: what in this flow holds these words, in names, settings and notes. The server looks (it knows the settings).
import { rtl, t } from "../words.js"

export class Finder {
  constructor(host) {
    this.host = host
  }

  open() {
    const { host } = this
    const box = host.getBoundingClientRect()
    host.picker.open({
      title: t`Find in this flow`,
      x: box.left + box.width / 2 + (rtl ? 160 : -160), // the picker is 320 wide
      y: box.top + 16,
      empty: t`There is no step in this flow yet.`,
      items: this.steps(),
      search: (words) => this.look(words),
    })
  }

  // Without words: every step, in the order they run.
  steps() {
    return this.host.graph.ordered().map((node) => this.item(node, node.el.dataset.kind, ""))
  }

  item(node, hint, field) {
    return { label: node.title, hint, icon: node.el.querySelector(".tile"), run: () => this.host.jump(node.id, field) }
  }

  async look(words) {
    await this.host.outbox.flush()
    const reply = await fetch(`${this.host.dataset.url}/found?q=${encodeURIComponent(words)}`, { headers: { Accept: "application/json" } }).catch(() => null)
    if (!reply?.ok) return null
    const { hits } = await reply.json()
    return hits.filter((hit) => this.host.graph.nodes.has(hit.node)).map((hit) => this.item(this.host.graph.nodes.get(hit.node), hit.where ? `${hit.where}: ${hit.text}` : hit.text, hit.field))
  }
}
