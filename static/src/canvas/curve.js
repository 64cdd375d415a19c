// Ports and the curves between them, as numbers.

// data-ports: [[side, name, type, label, y, flags]…]; flags: r required, m many, b branch, i inside
export function readPorts(text) {
  return JSON.parse(text || "[]").map(([side, name, type, label, y, flags = ""]) => ({
    side,
    name,
    type,
    label,
    y,
    required: flags.includes("r"),
    many: flags.includes("m"),
    branch: flags.includes("b"),
    inside: flags.includes("i"),
  }))
}

export const port = (node, side, name) => node.ports.find((p) => p.side === side && p.name === name)

// Inner ports of a container face inwards: an output sits on the left edge, an input on the right one.
export function anchor(node, p, side) {
  const right = (side === "out") !== Boolean(p?.inside)
  return { x: node.ax + (right ? node.w : 0), y: node.ay + (p ? p.y : node.h / 2) }
}

export function curve(a, b) {
  const reach = Math.min(120, Math.max(28, Math.abs(b.x - a.x) / 2))
  const e = { x1: a.x, y1: a.y, cx1: a.x + reach, cx2: b.x - reach, x2: b.x, y2: b.y }
  e.left = Math.min(e.x1, e.cx2, e.x2)
  e.right = Math.max(e.x2, e.cx1, e.x1)
  e.top = Math.min(e.y1, e.y2)
  e.bottom = Math.max(e.y1, e.y2)
  return e
}

export function pointOn(e, t) {
  const u = 1 - t
  return {
    x: u * u * u * e.x1 + 3 * u * u * t * e.cx1 + 3 * u * t * t * e.cx2 + t * t * t * e.x2,
    y: (u * u * u + 3 * u * u * t) * e.y1 + (3 * u * t * t + t * t * t) * e.y2,
  }
}

export const box = (n) => ({ x1: n.ax, y1: n.ay, x2: n.ax + n.w, y2: n.ay + n.h + n.extra })

export const pathOf = (e) => `M${e.x1} ${e.y1}C${e.cx1} ${e.y1} ${e.cx2} ${e.y2} ${e.x2} ${e.y2}`
