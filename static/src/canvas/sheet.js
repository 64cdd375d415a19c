// On a phone the panel comes up from below as a sheet: the handle on it drags its height, a press makes it whole or half.

const WHOLE = "calc(100dvh - 80px)" // the bar above, and the handle

export class Sheet {
  constructor(host) {
    this.host = host
    this.handle = host.part("handle")
    if (!this.handle) return
    this.editor = this.handle.parentElement
    this.handle.addEventListener("click", (e) => e.detail === 0 && this.turn())
    this.handle.addEventListener("keydown", (e) => this.key(e))
    this.handle.addEventListener("pointerdown", (e) => this.down(e))
  }

  set(height, whole = false) {
    if (height) this.editor.style.setProperty("--sheet", height)
    else this.editor.style.removeProperty("--sheet") // half, as editor.css says
    this.handle.setAttribute("aria-expanded", String(whole))
    this.host.view.room.refit()
  }

  turn() {
    const whole = this.handle.getAttribute("aria-expanded") === "true"
    this.set(whole ? "" : WHOLE, !whole)
  }

  key(e) {
    if (e.key === "ArrowUp") this.set(WHOLE, true)
    else if (e.key === "ArrowDown") this.set("")
    else if (e.key === "Escape") this.host.closePanel()
    else return
    e.preventDefault()
  }

  down(e) {
    const from = { y: e.clientY, height: this.host.part("panel").offsetHeight }
    const most = this.editor.offsetHeight - 80
    let height = from.height
    let moved = false
    const move = (m) => {
      moved ||= Math.abs(m.clientY - from.y) > 4
      if (!moved) return
      height = Math.max(0, Math.min(most, from.height + from.y - m.clientY))
      this.editor.style.setProperty("--sheet", `${Math.round(height)}px`)
    }
    const up = (end) => {
      this.handle.removeEventListener("pointermove", move)
      for (const kind of ["pointerup", "pointercancel"]) this.handle.removeEventListener(kind, up)
      if (!moved) return end.type === "pointerup" && this.turn()
      if (height < most * 0.25) {
        this.set("")
        this.host.closePanel()
      } else if (height > most * 0.85) this.set(WHOLE, true)
      else this.set(`${Math.round(height)}px`)
    }
    this.handle.setPointerCapture(e.pointerId)
    this.handle.addEventListener("pointermove", move)
    for (const kind of ["pointerup", "pointercancel"]) this.handle.addEventListener(kind, up)
  }
}
