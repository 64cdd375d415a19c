// Groups fold and unfold while one looks; nobody else sees it.
import { t } from "../words.js"

const FOLDED = { w: 208, h: 64 } // as app/studio/shapes.py

export class Fold {
  constructor(host, graph) {
    Object.assign(this, { host, graph })
    host.addEventListener("click", (e) => {
      const button = e.target.closest("[data-fold]")
      if (button) this.turn(graph.nodes.get(button.closest(".node").dataset.id))
    })
  }

  turn(group) {
    const [w, h] = JSON.parse(group.el.dataset.full || "[320, 200]")
    group.folded = !group.folded
    group.el.dataset.folded = group.folded ? "yes" : "no"
    group.el.classList.toggle("node--folded", group.folded)
    this.graph.size(group, group.folded ? FOLDED.w : w, group.folded ? FOLDED.h : h)
    this.graph.refold()
    this.host.view.draw()
    this.host.say(group.folded ? t`${group.title} folded` : t`${group.title} unfolded`)
  }

  // A step in a folded group is shown by unfolding what hides it.
  reveal(id) {
    for (const group of this.graph.groupsAround(id)) if (group.folded) this.turn(group)
  }
}
