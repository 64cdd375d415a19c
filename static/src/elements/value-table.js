// <value-table [source="…"]> around a table of values: sorted by pressing a heading, columns left out, more rows in pieces.
// The server wrote the first rows; `source` gives all of them as JSON.

import { say } from "./htmx.js"
import { plural, t } from "../words.js"

const PIECE = 200

const word = (value) => (value === null || value === undefined ? "" : value === true ? t`yes` : value === false ? t`no` : typeof value === "object" ? JSON.stringify(value) : String(value))
const compare = (a, b) => {
  const [x, y] = [Number(a), Number(b)]
  if (a !== "" && b !== "" && !Number.isNaN(x) && !Number.isNaN(y)) return x - y
  return a === "" ? 1 : b === "" ? -1 : a.localeCompare(b, undefined, { numeric: true })
}

class ValueTable extends HTMLElement {
  // A page that is morphed writes its own headings and rows over ours: then we begin anew.
  connectedCallback() {
    this.begin()
    this.watch ??= new MutationObserver(() => this.begin())
    this.watch.observe(this, { childList: true, subtree: true })
  }

  disconnectedCallback() {
    this.watch.disconnect()
  }

  begin() {
    const table = this.querySelector("table")
    const ours = table?.tHead ? table.querySelector(".value-table__sort") : this.contains(this.mine)
    if (!table || ours) return
    this.table = table
    this.all = null
    for (const old of this.querySelectorAll(".value-table__columns, .view__foot > button")) old.remove()
    this.body = table.tBodies[0]
    this.heads = [...(table.tHead?.rows[0]?.cells ?? [])]
    this.names = this.heads.map((head) => head.textContent)
    this.hidden_ = new Set()
    this.heads.forEach((head, i) => this.sortable(head, i))
    const foot = this.querySelector(".view__foot")
    if (this.heads.length > 1) foot?.append(this.columns())
    this.mine = this.getAttribute("source") ? this.more() : table
    if (this.mine !== table) foot?.append(this.mine)
  }

  sortable(head, i) {
    const press = document.createElement("button")
    press.type = "button"
    press.className = "value-table__sort"
    press.textContent = this.names[i]
    press.addEventListener("click", () => this.sort(i))
    head.replaceChildren(press)
  }

  sort(i) {
    const down = this.heads[i].getAttribute("aria-sort") === "ascending"
    for (const head of this.heads) head.removeAttribute("aria-sort")
    this.heads[i].setAttribute("aria-sort", down ? "descending" : "ascending")
    const rows = [...this.body.rows]
    rows.sort((a, b) => compare(a.cells[i].textContent, b.cells[i].textContent) * (down ? -1 : 1))
    this.body.append(...rows)
    say(down ? t`Sorted by ${this.names[i]}, last first` : t`Sorted by ${this.names[i]}, first first`)
  }

  columns() {
    const box = document.createElement("details")
    box.className = "value-table__columns"
    const summary = document.createElement("summary")
    summary.textContent = t`Columns`
    const list = document.createElement("div")
    this.names.forEach((name, i) => {
      const label = document.createElement("label")
      const tick = Object.assign(document.createElement("input"), { type: "checkbox", checked: true, className: "check" })
      tick.addEventListener("change", () => this.show(i, tick.checked))
      label.append(tick, name)
      list.append(label)
    })
    box.append(summary, list)
    return box
  }

  show(i, on) {
    if (on) this.hidden_.delete(i)
    else this.hidden_.add(i)
    for (const row of this.table.rows) if (row.cells[i]) row.cells[i].hidden = !on
  }

  more() {
    const press = document.createElement("button")
    press.type = "button"
    press.className = "link"
    press.textContent = t`Show more rows`
    press.addEventListener("click", async () => {
      press.setAttribute("aria-busy", "true")
      const rows = (this.all ??= await this.read())
      press.removeAttribute("aria-busy")
      if (!rows) return say(t`The rows could not be read. Try again, or download them.`)
      const from = this.body.rows.length
      for (const row of rows.slice(from, from + PIECE)) this.body.append(this.row(row))
      const now = this.body.rows.length
      this.querySelector("[data-count]").textContent = now < rows.length ? t`${rows.length} rows, the first ${now} here` : plural(rows.length, "{1} row", "{1} rows")
      if (now >= rows.length) press.remove()
    })
    return press
  }

  async read() {
    const reply = await fetch(this.getAttribute("source"), { headers: { Accept: "application/json" } }).catch(() => null)
    const rows = await reply?.json?.().catch(() => null)
    return Array.isArray(rows) ? rows : null
  }

  row(value) {
    const row = document.createElement("tr")
    const cells = this.names.length ? this.names.map((name) => value?.[name]) : [value]
    cells.forEach((cell, i) => {
      const td = document.createElement("td")
      td.textContent = word(cell)
      td.hidden = this.hidden_.has(i)
      row.append(td)
    })
    return row
  }
}
customElements.define("value-table", ValueTable)
