// Notes are written where they lie: a text field over the card. What it means (Markdown) is drawn by the server.
import { t } from "../words.js"

const TYPED = 300 // ms after the last key until the text is sent

export class Notes {
  constructor(host) {
    this.host = host
    this.writing = null
  }

  async write(node) {
    if (this.writing || !this.host.editable) return
    const text = document.createElement("textarea")
    text.className = "node__write"
    text.setAttribute("aria-label", t`Text of this note, Markdown`)
    text.dataset.scrolls = ""
    text.maxLength = 10_000
    text.value = node.el.dataset.text ?? ""
    const mine = (this.writing = { id: node.id, text, before: text.value, html: null })
    node.el.querySelector(".node__card").append(text)
    node.el.dataset.writing = ""
    text.addEventListener("input", () => this.keep(mine))
    text.addEventListener("blur", () => this.done(mine))
    text.addEventListener("pointerdown", (e) => e.stopPropagation())
    text.addEventListener("dblclick", (e) => e.stopPropagation())
    text.addEventListener("keydown", (e) => {
      e.stopPropagation()
      if (e.key !== "Escape" && !(e.key === "Enter" && (e.ctrlKey || e.metaKey))) return
      e.preventDefault()
      this.done(mine, true)
    })
    text.focus()
  }

  keep({ id, text }) {
    const node = this.host.graph.nodes.get(id)
    if (node) node.el.dataset.text = text.value
    this.host.edit.run([{ op: "note.text", id, text: text.value }], { merge: `note ${id}`, wait: TYPED })
  }

  // The server's rendering of a note that is being written waits until it is left.
  holds(id, fresh) {
    if (this.writing?.id !== id) return false
    this.writing.html = fresh
    return true
  }

  done(mine, back = false) {
    if (this.writing !== mine) return
    this.writing = null
    const node = this.host.graph.nodes.get(mine.id)
    mine.text.remove()
    if (!node) return
    delete node.el.dataset.writing
    if (mine.html) this.host.put(mine.html, node)
    if (mine.text.value !== mine.before) this.host.outbox.flush()
    if (back) this.host.focusNode(mine.id, false)
  }
}
