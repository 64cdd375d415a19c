// A list with a search field at a point of the page: fitting steps, ends of a wire. Arrows, Enter, Escape.
import { rtl, t } from "../words.js"

export class Picker {
  constructor(host) {
    this.host = host
    this.el = host.part("picker")
    this.input = this.el.querySelector("input")
    this.list = this.el.querySelector("[role=listbox]")
    this.title = this.el.querySelector(".step-picker__title")
    this.input.addEventListener("input", () => this.filter())
    this.input.addEventListener("keydown", (e) => this.key(e))
    this.list.addEventListener("pointerdown", (e) => e.preventDefault())
    this.list.addEventListener("click", (e) => this.choose(e.target.closest("[role=option]")))
    // A manual popover: an automatic one would close at the very pointerup that drops a wire and asks for it.
    this.outside = (e) => this.el.contains(e.target) || this.close()
  }

  // items: [{label, hint, words, icon: element or null, run}]; resolves nothing, an item's `run` does the deed.
  // `search(words)`: asks elsewhere for items; null = it could not, then `items` are searched here.
  open({ title, items, x, y, empty = t`Nothing fits here.`, onclose = null, search = null }) {
    this.close(true)
    this.items = this.given = items
    this.search = search
    this.empty = empty
    this.onclose = onclose
    this.back = document.activeElement
    this.title.textContent = title
    this.input.value = ""
    this.el.showPopover()
    const box = this.el.getBoundingClientRect()
    this.el.style.left = `${Math.max(8, Math.min(rtl ? x - box.width : x, innerWidth - box.width - 8))}px`
    this.el.style.top = `${Math.max(8, Math.min(y, innerHeight - 340))}px`
    this.filter()
    this.input.focus()
    document.addEventListener("pointerdown", this.outside, true)
  }

  filter() {
    if (this.search) return this.ask()
    this.show()
  }

  // Not for every letter at once; an older answer never comes over a newer one.
  ask() {
    clearTimeout(this.asking)
    const words = this.input.value.trim()
    const mine = (this.asked = {})
    if (!words) {
      this.waits = ""
      this.items = this.given
      return this.show()
    }
    this.waits ||= "open"
    this.asking = setTimeout(async () => {
      const found = await this.search(words)
      if (this.asked !== mine || !this.el.matches(":popover-open")) return
      const chosen = this.waits === "chosen"
      this.waits = ""
      this.items = found ?? this.given
      this.show(found ? "" : words)
      if (chosen) this.choose(this.list.querySelector('[aria-selected="true"]'))
    }, 90)
  }

  show(text = this.search ? "" : this.input.value) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean)
    const hits = this.items.filter((item) => words.every((w) => `${item.label} ${item.hint ?? ""} ${item.words ?? ""}`.toLowerCase().includes(w)))
    this.list.replaceChildren(...hits.slice(0, 60).map((item, i) => this.option(item, i)))
    if (!hits.length) {
      const none = document.createElement("p")
      none.className = "step-picker__none"
      none.textContent = this.input.value.trim() ? t`Nothing here is called “${this.input.value}”.` : this.empty
      this.list.append(none)
    }
    this.at(0)
  }

  option(item, i) {
    const el = document.createElement("div")
    el.className = "menu__item"
    el.id = `pick-${i}`
    el.setAttribute("role", "option")
    el.item = item
    if (item.icon) el.append(item.icon.cloneNode(true))
    const words = document.createElement("span")
    words.className = "menu__words"
    words.append(Object.assign(document.createElement("span"), { textContent: item.label }))
    if (item.hint) words.append(Object.assign(document.createElement("span"), { className: "menu__note", textContent: item.hint }))
    el.append(words)
    return el
  }

  at(index) {
    const options = [...this.list.querySelectorAll("[role=option]")]
    this.index = Math.max(0, Math.min(index, options.length - 1))
    options.forEach((el, i) => el.setAttribute("aria-selected", String(i === this.index)))
    const chosen = options[this.index]
    this.input.setAttribute("aria-activedescendant", chosen?.id ?? "")
    chosen?.scrollIntoView({ block: "nearest" })
  }

  key(e) {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[e.key]
    if (step) {
      e.preventDefault()
      this.at(this.index + step)
    } else if (e.key === "Enter") {
      e.preventDefault()
      if (this.waits) this.waits = "chosen" // the answer is on its way: its first line is meant
      else this.choose(this.list.querySelector('[aria-selected="true"]'))
    } else if (e.key === "Tab" || e.key === "Escape") {
      e.preventDefault()
      this.close()
    }
    e.stopPropagation()
  }

  choose(el) {
    if (!el?.item) return
    const { run } = el.item
    this.close(true)
    run()
  }

  close(chosen = false) {
    if (!this.el.matches(":popover-open")) return
    clearTimeout(this.asking)
    this.asked = null
    this.waits = ""
    document.removeEventListener("pointerdown", this.outside, true)
    this.el.hidePopover()
    this.list.replaceChildren()
    if (!chosen && this.back?.isConnected) this.back.focus({ preventScroll: true })
    this.onclose?.(chosen)
  }
}
