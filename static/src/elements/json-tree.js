// <json-tree [source="…"]><pre>JSON</pre></json-tree>: a tree that opens part by part, is searched, and gives away the path
// or the value of a part. Without scripts the JSON stands there as text. `source`: all of it, when the text is cut.
//
// Parts are built when they are opened, and 100 at a time, so size costs nothing. No markup is made from values.

import { say } from "./htmx.js"
import { t } from "../words.js"

const AT_ONCE = 100
const OPEN = 40 // a value with fewer parts than this, in all, starts with its first two levels open
const FEW = 8 // with fewer parts there is nothing to look for
const MOST_FOUND = 200

const make = (tag, cls = "", text = "") => {
  const el = document.createElement(tag)
  if (cls) el.className = cls
  if (text) el.textContent = text
  return el
}
const button = (words, cls = "") => Object.assign(make("button", cls, words), { type: "button" })
const inner = (value) => (Array.isArray(value) ? value.map((v, i) => [i, v]) : Object.entries(value))
const open = (value) => value !== null && typeof value === "object"
const step = (path, key) => (typeof key === "number" ? `${path}[${key}]` : /^[A-Za-z_]\w*$/.test(key) ? (path ? `${path}.${key}` : key) : `${path}[${JSON.stringify(key)}]`)

class JsonTree extends HTMLElement {
  // A page that is morphed takes our parts away again, or brings other JSON: then the tree is made anew.
  connectedCallback() {
    this.begin()
    this.watch ??= new MutationObserver(() => this.begin())
    this.watch.observe(this, { childList: true, subtree: true, characterData: true })
  }

  disconnectedCallback() {
    this.watch.disconnect()
  }

  begin() {
    const pre = this.querySelector("pre")
    if (!pre || (this.contains(this.mine) && this.text === pre.textContent)) return
    this.text = pre.textContent
    for (const old of this.querySelectorAll(".json-tree__parts, .json-tree__tools, :scope > button")) old.remove()
    try {
      this.value = JSON.parse(this.text)
    } catch {
      this.mine = pre
      if (this.getAttribute("source")) this.offer(pre)
      return
    }
    this.draw(pre)
  }

  // The text is cut: all of it comes when it is asked for.
  offer(pre) {
    const all = button(t`Show all of it as a tree`, "button button--small")
    all.addEventListener("click", async () => {
      all.setAttribute("aria-busy", "true")
      const reply = await fetch(this.getAttribute("source"), { headers: { Accept: "application/json" } }).catch(() => null)
      all.removeAttribute("aria-busy")
      try {
        this.value = await reply.json()
      } catch {
        return say(t`It could not be read. Try again, or download it.`)
      }
      all.remove()
      for (const note of this.querySelectorAll("p")) note.remove()
      this.draw(pre)
    })
    this.append(all)
  }

  draw(pre) {
    this.root = this.mine = make("div", "json-tree__parts")
    this.root.tabIndex = 0
    if (this.count(this.value, FEW) >= FEW) this.append(this.tools())
    this.plant()
    this.append(this.root)
    pre.hidden = true
  }

  tools() {
    const bar = make("div", "json-tree__tools")
    const find = Object.assign(make("input", "input"), { type: "search", placeholder: t`Find in it`, autocomplete: "off" })
    find.setAttribute("aria-label", t`Find a name or a value`)
    this.found = make("span", "muted json-tree__found")
    this.found.setAttribute("role", "status")
    let soon = 0
    find.addEventListener("input", () => {
      clearTimeout(soon)
      soon = setTimeout(() => this.search(find.value.trim().toLowerCase()), 120)
    })
    const all = button(t`Copy all`, "link")
    all.addEventListener("click", () => this.copy(JSON.stringify(this.value, null, 2), t`All of it`))
    bar.append(find, this.found, all)
    return bar
  }

  plant() {
    const list = make("ul", "json-tree__list")
    if (open(this.value)) this.fill(list, this.value, "", this.count(this.value, OPEN) < OPEN ? 2 : 1)
    else list.append(this.leaf("", this.value, ""))
    this.root.replaceChildren(list)
  }

  count(value, most) {
    let n = 0
    const todo = [value]
    while (todo.length && n < most) {
      const one = todo.pop()
      n++
      if (open(one)) todo.push(...Object.values(one).slice(0, most))
    }
    return n
  }

  fill(list, value, path, levels, from = 0) {
    const parts = inner(value)
    for (const [key, part] of parts.slice(from, from + AT_ONCE)) list.append(open(part) ? this.branch(key, part, step(path, key), levels - 1) : this.leaf(key, part, step(path, key)))
    if (parts.length <= from + AT_ONCE) return
    const more = make("li")
    const press = button(t`${Math.min(AT_ONCE, parts.length - from - AT_ONCE)} more of ${parts.length}`, "link")
    press.addEventListener("click", () => {
      more.remove()
      this.fill(list, value, path, levels, from + AT_ONCE)
    })
    more.append(press)
    list.append(more)
  }

  branch(key, value, path, levels) {
    const item = make("li")
    const details = make("details")
    const summary = make("summary")
    const size = Array.isArray(value) ? value.length : Object.keys(value).length
    summary.append(make("span", "json-tree__name", String(key)), make("span", "muted", Array.isArray(value) ? `[${size}]` : `{${size}}`), this.deeds(path, value))
    const list = make("ul", "json-tree__list")
    details.append(summary, list)
    const grow = () => {
      if (!details.open || list.childElementCount) return
      this.fill(list, value, path, levels)
    }
    details.addEventListener("toggle", grow)
    if (levels > 0) {
      details.open = true
      grow()
    }
    item.append(details)
    return item
  }

  leaf(key, value, path) {
    const item = make("li", "json-tree__leaf")
    if (key !== "") item.append(make("span", "json-tree__name", String(key)))
    item.append(make("span", `json-tree__value json-tree__value--${value === null ? "nothing" : typeof value}`, typeof value === "string" ? value : String(value)), this.deeds(path, value))
    return item
  }

  deeds(path, value) {
    const deeds = make("span", "json-tree__deeds")
    if (path) {
      const where = button(t`Path`)
      where.setAttribute("aria-label", t`Copy the path ${path}`)
      where.addEventListener("click", (e) => this.press(e, path, path))
      deeds.append(where)
    }
    const what = button(t`Value`)
    what.setAttribute("aria-label", path ? t`Copy the value of ${path}` : t`Copy the value`)
    what.addEventListener("click", (e) => this.press(e, typeof value === "string" ? value : JSON.stringify(value, null, 2), path || t`The value`))
    deeds.append(what)
    return deeds
  }

  press(e, text, words) {
    e.preventDefault()
    e.stopPropagation()
    this.copy(text, words)
  }

  async copy(text, words) {
    try {
      await navigator.clipboard.writeText(text)
      say(t`${words} copied`)
    } catch {
      say(t`The browser does not let this page copy.`)
    }
  }

  // What is found stands in a flat list with its path: no matter how deep it lies, it is seen at once.
  search(words) {
    if (!words) {
      this.found.textContent = ""
      return this.plant()
    }
    const hits = []
    const walk = (value, path) => {
      for (const [key, part] of inner(value)) {
        if (hits.length >= MOST_FOUND) return
        const at = step(path, key)
        const named = typeof key === "string" && key.toLowerCase().includes(words)
        if (open(part)) {
          if (named) hits.push([at, part])
          walk(part, at)
        } else if (named || String(part).toLowerCase().includes(words)) hits.push([at, part])
      }
    }
    walk(this.value, "")
    const list = make("ul", "json-tree__list")
    for (const [path, part] of hits) {
      const item = open(part) ? this.branch(path, part, path, 0) : this.leaf(path, part, path)
      list.append(item)
    }
    this.root.replaceChildren(list)
    this.found.textContent = hits.length === 0 ? t`Nothing found` : hits.length >= MOST_FOUND ? t`${hits.length} or more found` : t`${hits.length} found`
  }
}
customElements.define("json-tree", JsonTree)
