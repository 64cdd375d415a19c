// F2: the name of a step or a group is written where it stands, on its card. Enter or leaving keeps it, Escape does not.
import { t } from "../words.js"

export class Naming {
  constructor(host) {
    this.host = host
    this.writing = null
  }

  write(node) {
    const name = node.el.querySelector(".node__head > .node__name")
    if (!this.host.editable || this.writing) return
    if (!name) return this.host.edit.begin(node) // a note has no name: its text is written
    this.host.focusNode(node.id) // from afar only boxes are seen
    const input = document.createElement("input")
    input.className = "node__rename"
    input.setAttribute("aria-label", t`Name of this step`)
    input.maxLength = 120
    input.value = node.title
    const mine = (this.writing = { id: node.id, input, before: node.title, html: null })
    node.el.dataset.naming = ""
    name.after(input)
    input.addEventListener("blur", () => this.done(mine))
    for (const kind of ["pointerdown", "dblclick"]) input.addEventListener(kind, (e) => e.stopPropagation())
    input.addEventListener("keydown", (e) => {
      e.stopPropagation()
      if (e.isComposing || !["Enter", "Escape", "F2"].includes(e.key)) return
      e.preventDefault()
      if (e.key === "Escape") input.value = mine.before
      this.done(mine, true)
    })
    input.focus()
    input.select()
  }

  // The server's rendering of a step that is being named waits until it is left.
  holds(id, fresh) {
    if (this.writing?.id !== id) return false
    this.writing.html = fresh
    return true
  }

  done(mine, back = false) {
    if (this.writing !== mine) return
    this.writing = null
    const { host } = this
    const node = host.graph.nodes.get(mine.id)
    mine.input.remove()
    if (!node) return
    delete node.el.dataset.naming
    if (mine.html) host.put(mine.html, node)
    const label = mine.input.value.trim()
    if (label !== mine.before) {
      host.edit.run([{ op: "node.label", id: mine.id, label }])
      host.say(t`Renamed to ${node.title}`)
      if (host.panel.node === mine.id) host.outbox.flush().then(() => host.panel.refresh())
    }
    if (back) host.focusNode(mine.id, false)
  }
}
