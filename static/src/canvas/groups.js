// Groups: made of what is selected, coloured, folded, taken apart; and a selection that becomes a flow of its own.

import { snap } from "./graph.js"
import { sentence, uuid } from "./outbox.js"
import { plural, t } from "../words.js"

const ROOM = { x: 24, top: 56, bottom: 24 } // around what a group holds; its title stands on top
export const FOLDED = { w: 208, h: 64 } // as app/studio/shapes.py

export class Groups {
  constructor(host, graph) {
    Object.assign(this, { host, graph })
  }

  // One step lies in at most one group: it leaves the one it was in.
  make(ids) {
    const { graph, host } = this
    const look = host.catalogue.types["note.group"]
    const chosen = ids.map((id) => graph.nodes.get(id)).filter((n) => n && !ids.includes(graph.groupOf(n.id)?.id))
    if (!look || !chosen.length) return
    const parent = chosen[0].parent
    const members = chosen.filter((n) => n.parent === parent)
    if (members.length < chosen.length) return host.toast(t`A group holds steps of one level. Select steps of one container, or of none.`)
    const box = graph.bounds(members)
    const origin = graph.origin(parent)
    const id = host.edit.newId()
    const node = {
      id,
      type: "note.group",
      version: look.version,
      parent,
      x: snap(box.x1 - origin.x - ROOM.x),
      y: snap(box.y1 - origin.y - ROOM.top),
      w: snap(box.x2 - box.x1 + 2 * ROOM.x),
      h: snap(box.y2 - box.y1 + ROOM.top + ROOM.bottom),
      settings: { members: members.map((n) => n.id) },
    }
    host.edit.run([...this.leaving(members), { op: "node.add", node }])
    host.select([id], { open: false })
    host.outbox.flush().then((sent) => sent && host.openPanel(id, true, ""))
    host.say(t`Group of ${members.length} made`)
  }

  // The frame goes, the steps stay.
  apart(node) {
    const group = node.group ? node : this.graph.groupOf(node.id)
    const members = this.graph.membersOf(group).map((n) => n.id)
    this.host.edit.run([{ op: "node.delete", id: group.id }])
    this.host.select(members, { open: false })
    if (members[0]) this.host.focusNode(members[0])
    this.host.removed(t`Group taken apart.`)
  }

  fold(node) {
    const group = node.group ? node : this.graph.groupOf(node.id)
    const folded = !group.folded
    this.host.edit.run([{ op: "node.config", id: group.id, field: "folded", value: folded }])
    this.host.select([group.id], { open: false })
    this.host.focusNode(group.id)
    this.host.say(folded ? plural(group.members.length, "{2} folded, {1} step hidden", "{2} folded, {1} steps hidden", group.title) : t`${group.title} unfolded`)
  }

  // Operations that take steps out of the groups they are in.
  leaving(nodes) {
    const left = new Map()
    for (const n of nodes) {
      const from = this.graph.groupOf(n.id)
      if (from) left.set(from, [...(left.get(from) ?? []), n.id])
    }
    return [...left].map(([group, ids]) => ({ op: "node.config", id: group.id, field: "members", value: group.members.filter((id) => !ids.includes(id)) }))
  }

  // After a drag: steps that were dropped in another group, or beside theirs, change over. What moved with its group stays.
  membership(nodes, into) {
    const moved = new Set(nodes.map((n) => n.id))
    const over = nodes.filter((n) => {
      const from = this.graph.groupOf(n.id)
      return from !== into && !(from && moved.has(from.id)) && n !== into
    })
    if (!over.length) return []
    const ops = this.leaving(over)
    if (into) ops.push({ op: "node.config", id: into.id, field: "members", value: [...into.members, ...over.map((n) => n.id)] })
    return ops
  }

  // What an edit of a group's settings means for the picture, before the server's rendering comes.
  set(node, field, value) {
    const { graph } = this
    if (field === "members") {
      node.members = value ?? []
      node.el.dataset.members = JSON.stringify(node.members)
      graph.owners = null
    }
    if (field === "colour") node.colour = node.el.dataset.colour = value ?? "grey"
    if (field === "folded" && Boolean(value) !== node.folded) {
      const size = value ? FOLDED : full(node)
      if (value) node.el.dataset.full = JSON.stringify([node.w, node.h])
      node.folded = Boolean(value)
      node.el.dataset.folded = value ? "yes" : "no"
      node.el.classList.toggle("node--folded", node.folded)
      graph.size(node, size.w, size.h)
    }
    graph.refold()
  }

  // --- a selection as a flow of its own, and back

  async collapse(ids) {
    const { host, graph } = this
    const all = [...graph.withMembers(ids)]
    const name = all.length === 1 ? graph.nodes.get(all[0]).title : ""
    await this.change("/subflows", { ids: all, name })
    host.view.draw()
  }

  async expand(node) {
    await this.change("/inlining", { id: node.id })
  }

  async change(path, body) {
    const { host } = this
    if (!(await host.outbox.flush())) return host.toast(t`This needs a connection. Your changes are kept here until then.`)
    const answer = await host.outbox
      .post(path, { base: host.rev, batch: uuid(), client: host.outbox.client, ...body })
      .catch(() => ({ status: 0, body: {} }))
    if (answer.status !== 200) return host.toast(sentence(answer.body) || t`No connection. Nothing was done.`)
    await host.outbox.took(answer.body)
    host.changed()
    const made = (answer.body.extra ?? []).filter((op) => op.op === "node.add").map((op) => op.node.id)
    host.select(made, { open: false })
    if (made[0]) host.focusNode(made[0])
    if (answer.body.said) host.removed(answer.body.said)
  }
}

function full(node) {
  const [w, h] = JSON.parse(node.el.dataset.full || "[320, 200]")
  return { w, h }
}
