// Steps as they are drawn when the view is so far away that cards are pictures: boxes with their names, then specks.

const TINY = 0.2 // zoom below which steps are drawn as specks

export const Far = (Base) =>
  class extends Base {
    boxes(ctx, seen) {
      const selected = this.host.selection
      const tiny = this.view.k < TINY
      for (const n of this.graph.nodes.values()) {
        if (!inView(n, seen)) continue
        ctx.globalAlpha = n.off ? 0.5 : 1
        if (tiny && !n.group && !n.container) {
          this.speck(ctx, n, selected)
          continue
        }
        const look = this.family[n.family] ?? this.family.data
        if (n.group && !n.folded) {
          ctx.beginPath()
          ctx.roundRect(n.ax, n.ay, n.w, n.h, 16)
          ctx.strokeStyle = selected.has(n.id) ? this.colour.accent : this.colour.line
          ctx.lineWidth = selected.has(n.id) ? 6 : 2
          ctx.stroke()
          ctx.fillStyle = this.colour["text-muted"]
          ctx.fillRect(n.ax + 16, n.ay + 16, Math.min(n.w - 32, 9 * n.title.length), 12)
          continue
        }
        if (!n.container) {
          ctx.beginPath()
          ctx.roundRect(n.ax, n.ay, n.w, n.h, 12)
          ctx.fillStyle = n.note && !n.group ? this.colour["you-soft"] : this.colour["surface-2"]
          ctx.fill()
        } else {
          ctx.beginPath()
          ctx.roundRect(n.ax, n.ay, n.w, n.h, 16)
        }
        const state = stateColour(n.status, this.colour)
        ctx.strokeStyle = selected.has(n.id) ? this.colour.accent : (state ?? this.colour.line)
        ctx.lineWidth = selected.has(n.id) || state ? 6 : 2
        ctx.stroke()
        if (n.note && !n.group) continue
        ctx.beginPath()
        ctx.roundRect(n.ax + 12, n.ay + 12, 44, 44, 8)
        ctx.fillStyle = look.soft
        ctx.fill()
        ctx.beginPath()
        ctx.roundRect(n.ax + 24, n.ay + 24, 20, 20, 5)
        ctx.fillStyle = look.glyph
        ctx.fill()
        this.title(ctx, n)
        if (state) glyph(ctx, n.status, n.ax + n.w - 30, n.ay + n.h - 30, state)
      }
      ctx.globalAlpha = 1
    }

    // The name beside the picture, in one or two lines of letters that stay 10 px on glass as long as the card holds them.
    title(ctx, n) {
      const size = Math.min(30, Math.max(16, Math.round(10 / this.view.k / 2) * 2))
      ctx.font = `620 ${size}px ${this.font}`
      if (n.drawn?.title !== n.title || n.drawn.size !== size) n.drawn = { title: n.title, size, lines: inLines(ctx, n.title, n.w - 80) }
      const { lines } = n.drawn
      ctx.fillStyle = this.colour.text
      ctx.textBaseline = "middle"
      lines.forEach((line, i) => ctx.fillText(line, n.ax + 68, n.ay + 34 + (i - (lines.length - 1) / 2) * size * 1.15))
    }

    // A step seen from very far: three rectangles, no path; round corners would be smaller than a pixel.
    speck(ctx, n, selected) {
      const state = stateColour(n.status, this.colour)
      const edge = selected.has(n.id) || state ? 6 : 2
      ctx.fillStyle = selected.has(n.id) ? this.colour.accent : (state ?? this.colour.line)
      ctx.fillRect(n.ax - edge / 2, n.ay - edge / 2, n.w + edge, n.h + edge)
      ctx.fillStyle = n.note ? this.colour["you-soft"] : this.colour["surface-2"]
      ctx.fillRect(n.ax + edge / 2, n.ay + edge / 2, n.w - edge, n.h - edge)
      if (n.note) return
      ctx.fillStyle = (this.family[n.family] ?? this.family.data).glyph
      ctx.fillRect(n.ax + 16, n.ay + 16, 36, 36)
      if (state) glyph(ctx, n.status, n.ax + n.w - 30, n.ay + n.h - 30, state)
    }
  }

export const inView = (n, seen) => !n.away && n.ax < seen.x2 && n.ax + n.w > seen.x1 && n.ay < seen.y2 && n.ay + n.h + n.extra > seen.y1

export function stateColour(status, colour) {
  if (status === "running" || status === "retrying") return colour.accent
  if (status === "failed") return colour.danger
  if (status === "waiting") return colour["you-fill"]
  if (status === "succeeded") return colour.success
  return null
}

// A title in at most two lines, broken between words, cut where there is no room.
function inLines(ctx, title, room) {
  const cut = (text) => {
    if (ctx.measureText(text).width <= room) return text
    let end = text.length
    while (end > 1 && ctx.measureText(`${text.slice(0, end)}…`).width > room) end--
    return `${text.slice(0, end).trimEnd()}…`
  }
  if (ctx.measureText(title).width <= room) return [title]
  const words = title.split(" ")
  let first = words.shift()
  while (words.length && ctx.measureText(`${first} ${words[0]}`).width <= room) first += ` ${words.shift()}`
  return words.length ? [cut(first), cut(words.join(" "))] : [cut(first)]
}

// A tick, a bang, a hand, a ring: never a bare dot, done and failed look alike to some eyes.
function glyph(ctx, status, x, y, colour) {
  ctx.strokeStyle = colour
  ctx.lineWidth = 6
  ctx.lineCap = "round"
  ctx.beginPath()
  if (status === "succeeded") {
    ctx.moveTo(x - 12, y)
    ctx.lineTo(x - 3, y + 9)
    ctx.lineTo(x + 13, y - 10)
  } else if (status === "failed") {
    ctx.moveTo(x, y - 14)
    ctx.lineTo(x, y + 2)
    ctx.moveTo(x, y + 13)
    ctx.lineTo(x, y + 13.1)
  } else if (status === "waiting") {
    for (const d of [-10, 0, 10]) {
      ctx.moveTo(x + d, y + 10)
      ctx.lineTo(x + d, y - 12)
    }
  } else ctx.arc(x, y, 12, 0, 4.4)
  ctx.stroke()
  ctx.lineCap = "butt"
}
