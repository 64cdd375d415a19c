// Groups: a frame with a list of the steps it holds. Places in the document do not depend on it.
// A folded group hides what it holds; wires of what is hidden end at its edge.

export const Grouping = (Base) =>
  class extends Base {
    // Outermost first.
    groups() {
      const all = [...this.nodes.values()].filter((n) => n.group)
      return all.length > 1 ? all.sort((a, b) => this.nesting(a) - this.nesting(b)) : all
    }

    groupOf(id) {
      if (!this.owners) {
        this.owners = new Map()
        for (const n of this.nodes.values()) if (n.group) for (const member of n.members) if (member !== n.id && !this.owners.has(member)) this.owners.set(member, n.id)
      }
      return this.nodes.get(this.owners.get(id)) ?? null
    }

    // The groups around a step, innermost first.
    groupsAround(id) {
      const found = []
      for (let at = this.groupOf(id); at && !found.includes(at); at = this.groupOf(at.id)) found.push(at)
      return found
    }

    nesting(node) {
      return this.groupsAround(node.id).length
    }

    membersOf(group) {
      return group.members.map((id) => this.nodes.get(id)).filter((n) => n && this.groupOf(n.id) === group)
    }

    // These and, of groups, what they hold.
    withMembers(ids) {
      const all = new Set()
      const take = (id) => {
        if (all.has(id) || !this.nodes.has(id)) return
        all.add(id)
        for (const member of this.nodes.get(id).group ? this.membersOf(this.nodes.get(id)) : []) take(member.id)
      }
      for (const id of ids) take(id)
      return all
    }

    // The innermost open group whose ground covers the point, on this level; none of `not`.
    groupAt(x, y, parent, not = new Set()) {
      let found = null
      for (const n of this.nodes.values()) {
        if (!n.group || n.folded || n.away || n.parent !== parent || not.has(n.id)) continue
        if (x < n.ax || y < n.ay || x > n.ax + n.w || y > n.ay + n.h) continue
        if (!found || this.nesting(n) >= this.nesting(found)) found = n
      }
      return found
    }

    // Who is hidden in a folded group (node.away = the outermost such group); their wires end at its edge.
    refold() {
      const groups = [...this.nodes.values()].some((n) => n.group)
      if (!groups && !this.folds) return
      this.folds = groups
      for (const node of this.nodes.values()) {
        let away = null
        for (let at = node; at; at = this.nodes.get(at.parent)) for (const group of this.groupsAround(at.id)) if (group.folded) away = group
        if (node.group) node.el.style.zIndex = node.parent ? "" : String(this.nesting(node) - 20)
        if ((node.away ?? null) === away) continue
        node.away = away
        node.el.hidden = Boolean(away)
        for (const edge of this.wires.get(node.id) ?? []) this.route(edge)
      }
      for (const edge of this.edges.values()) if (edge.away !== undefined) this.route(edge)
    }

    rerouteMembers(group) {
      for (const id of this.withMembers([group.id])) for (const edge of this.wires.get(id) ?? []) this.route(edge)
    }

    // What lies over what: a step over the container around it, both over groups.
    layer(n) {
      return n.group ? this.nesting(n) - 100 : this.depth(n)
    }
  }
