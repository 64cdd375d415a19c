// Copy and paste, as text: between flows, browsers and people. The server cuts out and lands (secrets stay behind).

import { sentence, uuid } from "./outbox.js"
import { plural, t } from "../words.js"

const KEPT = "agentbase.clipboard" // only where the browser does not let us write its clipboard
const MOST = 8_000_000 // characters: as much as the server takes
const MOST_NOTE = 10_000

export class Clipboard {
  constructor(host) {
    this.host = host
    document.addEventListener("paste", (this.pasted = (e) => this.heard(e)))
  }

  stop() {
    document.removeEventListener("paste", this.pasted)
  }

  async fragment(ids) {
    await this.host.outbox.flush()
    const answer = await this.host.outbox.post("/fragment", { ids: [...this.host.graph.withMembers(ids)] }).catch(() => null)
    if (answer?.status === 200) return answer.body
    this.host.toast(t`No connection. Nothing was copied.`)
    return null
  }

  async copy(ids) {
    const found = await this.fragment(ids)
    if (!found) return false
    const text = JSON.stringify(found.fragment)
    const written = await navigator.clipboard?.writeText(text).then(
      () => true,
      () => false,
    )
    if (written) localStorage.removeItem(KEPT)
    else localStorage.setItem(KEPT, text)
    const n = found.fragment.nodes.length
    this.host.say(found.left_out ? plural(n, "Step copied, without secrets", "{1} steps copied, without secrets") : plural(n, "Step copied", "{1} steps copied"))
    return true
  }

  async cut(ids) {
    if (await this.copy(ids)) this.host.edit.remove(ids)
  }

  async duplicate(ids) {
    const found = await this.fragment(ids)
    if (found) await this.land(found.fragment)
  }

  // A paste event: steps, a whole flow as JSON, or plain text, which becomes a note.
  async heard(e) {
    const busy = document.activeElement
    if (!this.host.editable || busy?.matches?.("input, textarea, select, [contenteditable]") || document.querySelector("dialog:modal")) return
    const text = e.clipboardData?.getData("text/plain") ?? ""
    e.preventDefault()
    await this.paste(text)
  }

  // From a menu: the browser may ask whether we may read.
  async pasteHere() {
    await this.paste((await navigator.clipboard?.readText?.().catch(() => "")) ?? "")
  }

  async paste(text) {
    if (text.length > MOST) return this.host.toast(t`This is too much to paste: more than 8 MB.`)
    const fragment = parse(text) ?? parse(localStorage.getItem(KEPT) ?? "")
    if (fragment) return this.land(fragment)
    if (text.trim() && text.length <= MOST_NOTE) return this.host.edit.note(text.trim())
    this.host.say(t`There is nothing to paste`)
  }

  async land(fragment) {
    const { host } = this
    await host.outbox.flush()
    const answer = await host.outbox
      .post("/paste", { base: host.rev, batch: uuid(), client: host.outbox.client, fragment, ...this.place() })
      .catch(() => ({ status: 0, body: {} }))
    if (answer.status !== 200) return host.toast(sentence(answer.body) || t`No connection. Nothing was pasted.`)
    await host.outbox.took(answer.body)
    host.changed()
    const added = (answer.body.extra ?? []).filter((op) => op.op === "node.add").map((op) => op.node.id)
    const tops = added.filter((id) => !host.graph.groupOf(id) || !added.includes(host.graph.groupOf(id).id))
    host.select(tops, { open: false })
    if (added.length) host.focusNode(added[0])
    if (answer.body.said) host.toast(answer.body.said)
    else host.say(plural(added.length, "Step pasted", "{1} steps pasted"))
  }

  // Beside the originals when some are selected, at the pointer when it rests on the canvas, else in the middle.
  place() {
    const { view, graph, selection, pointer } = this.host
    const chosen = [...selection].map((id) => graph.nodes.get(id))
    const middle = view.centre()
    let at = { x: middle.x - 104, y: middle.y - 64 }
    let parent = ""
    if (chosen.length) {
      const box = graph.bounds(chosen)
      at = { x: box.x1 + 32, y: box.y1 + 32 }
      if (chosen.length === 1 && chosen[0].container) {
        parent = chosen[0].id
        at = { x: box.x1 + 48, y: box.y1 + 72 }
      } else parent = chosen[0].parent
    } else if (pointer.rests) {
      at = { ...pointer.rests }
      parent = graph.containerAt(at.x, at.y)?.id ?? ""
    }
    const origin = graph.origin(parent)
    return { x: Math.round((at.x - origin.x) / 8) * 8, y: Math.round((at.y - origin.y) / 8) * 8, parent }
  }
}

// Steps that were copied (they carry the mark "agentbase"), or a flow as it is exported.
function parse(text) {
  if (!/^\s*\{/.test(text) || text.length > MOST) return null
  try {
    const found = JSON.parse(text)
    const flow = found?.document ?? found
    if (!Array.isArray(flow?.nodes)) return null
    return { agentbase: found.agentbase ?? 1, nodes: flow.nodes, edges: flow.edges ?? [] }
  } catch {
    return null
  }
}
