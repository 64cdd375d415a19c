// The panel beside the canvas: a copy of what the outline says about one step.

export class Reading {
  constructor(host) {
    this.host = host
    this.el = host.part("panel")
    this.node = ""
    this.el.addEventListener("keydown", (e) => e.key === "Escape" && this.leave())
  }

  open(id, focus) {
    const step = document.querySelector(`.shown__step[data-step="${CSS.escape(id)}"]`)
    if (!step) return this.close()
    const copy = document.createElement("section")
    copy.className = "shown__step"
    copy.append(...[...step.children].map((el) => el.cloneNode(true)))
    const title = Object.assign(document.createElement("h2"), { textContent: copy.querySelector("h3").textContent })
    copy.querySelector("h3").replaceWith(title) // beside the canvas it stands right under the flow's name
    const close = document.getElementById("panel-close").content.cloneNode(true)
    copy.querySelector(".shown__head").append(close)
    this.node = id
    this.el.replaceChildren(copy)
    this.el.setAttribute("aria-label", title.textContent)
    this.el.hidden = false
    if (focus) this.el.querySelector("button").focus()
  }

  close() {
    this.node = ""
    this.el.hidden = true
  }

  // By its button or Escape: back to the step on the canvas.
  leave() {
    const { host, node } = this
    this.close()
    host.select([])
    if (node) host.focusNode(node, false)
  }
}
