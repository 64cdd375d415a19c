// What stands around the canvas: buttons anywhere in the editor's page, the zoom figure, the minimap.

import { t } from "../words.js"

// What the style sheet writes onto cards.
const DRAWN = { "--off": t`Off`, "--empty-note": t`Empty note. Press Enter to write.` }

export class Chrome {
  constructor(host) {
    this.host = host
    for (const [name, words] of Object.entries(DRAWN)) host.style.setProperty(name, JSON.stringify(words))
    document.addEventListener("click", (this.clicked = (e) => this.click(e)))
    host.view.onframe.push(() => {
      const word = host.part("zoom")
      const text = `${Math.round(host.view.k * 100)}%`
      if (word && word.textContent !== text) word.textContent = text
    })
    host.view.onlevel.push(() => host.connect.hover(null))
    host.minimap?.addEventListener("pointerdown", (e) => this.map(e))
  }

  stop() {
    document.removeEventListener("click", this.clicked)
  }

  // data-jump: a step; data-panel-url: a page in the panel; data-post: a deed of the server; data-canvas: one of actions.js.
  click(e) {
    const { host } = this
    const el = e.target.closest("[data-jump], [data-panel-url], [data-post], [data-canvas]")
    if (!el) return
    const { jump, field, panelUrl, post, canvas } = el.dataset
    if (jump !== undefined) host.jump(jump, field)
    else if (panelUrl) host.panel.page(panelUrl)
    else if (post) host.send(post)
    else if (!host.actions.run(canvas)) return
    e.preventDefault()
  }

  map(e) {
    const { view, painter, minimap } = this.host
    const go = (m) => {
      const s = painter.mapScale
      const r = minimap.getBoundingClientRect()
      if (!s) return
      view.auto = null
      view.x = view.width / 2 - ((m.clientX - r.left - s.dx) / s.k) * view.k
      view.y = view.height / 2 - ((m.clientY - r.top - s.dy) / s.k) * view.k
      view.draw()
    }
    minimap.setPointerCapture(e.pointerId)
    go(e)
    minimap.onpointermove = go
    minimap.onpointerup = () => (minimap.onpointermove = null)
  }
}
