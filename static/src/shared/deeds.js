// What keys and buttons do on a page that is only looked at.

const DEEDS = (host) => [
  { name: "open", keys: ["Enter", " "], needs: true, run: (node) => host.edit.begin(node) },
  { name: "fit", keys: ["0", "Ctrl+0"], run: () => host.fit(true) },
  { name: "zoom-selection", keys: ["2"], run: () => host.zoomToSelection() },
  { name: "zoom-full", keys: ["1"], run: () => host.view.zoom(1 / host.view.k) },
  { name: "zoom-in", keys: ["+", "="], run: () => host.view.zoom(1.25) },
  { name: "zoom-out", keys: ["-"], run: () => host.view.zoom(0.8) },
  { name: "first", keys: ["Home"], run: () => host.keys.go(host.graph.ordered()[0]) },
  { name: "last", keys: ["End"], run: () => host.keys.go(host.graph.ordered().at(-1)) },
  { name: "escape", keys: ["Escape"], run: () => host.keys.escape() },
  { name: "close-panel", keys: [], run: () => host.panel.leave() },
  { name: "as-canvas", keys: [], run: () => host.actions.look("canvas") },
  { name: "as-outline", keys: [], run: () => host.actions.look("outline") },
]

export class Deeds {
  constructor(host) {
    const list = DEEDS(host)
    this.page = host.closest(".shown")
    this.byName = new Map(list.map((deed) => [deed.name, deed]))
    this.byKey = new Map(list.flatMap((deed) => deed.keys.map((key) => [key, deed])))
    this.host = host
  }

  able(deed, node) {
    return !deed.needs || Boolean(node)
  }

  act(deed, node) {
    deed.run(node)
  }

  run(name) {
    this.byName.get(name)?.run(this.host.keys.focusedNode())
    return this.byName.has(name)
  }

  // "canvas" or "outline". What is hidden has no size: the view fits once it is there.
  look(which) {
    this.page.dataset.view = which
    for (const button of this.page.querySelectorAll("[data-canvas^=as-]")) button.setAttribute("aria-pressed", String(button.dataset.canvas === `as-${which}`))
    if (which === "outline") this.host.panel.close()
  }
}
