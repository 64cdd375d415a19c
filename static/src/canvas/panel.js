// The right panel: settings of the selected step (rendered by the server, saved as operations), or the test face.

import { Connecting } from "./connecting.js"
import { box } from "./keys.js"
import { askWhose } from "./panel-conflict.js"
import { exposeDeed, exposeWords } from "./panel-expose.js"
import { find } from "./panel-find.js"
import { lazy } from "./panel-lazy.js"
import { Pick } from "./panel-pick.js"
import { policyOf } from "./panel-policy.js"
import { rowDeed } from "./panel-rows.js"
import { conditions, fault, valueOf } from "./panel-values.js"
import { markup } from "./swap.js"
import { bare, rtl, t } from "../words.js"

const TYPED = 30 // ms after a key until a text is saved; while one letter is on its way, the next ones wait together

export class Panel {
  constructor(host) {
    this.host = host
    this.el = host.part("panel")
    this.node = ""
    this.trying = false
    this.tab = "settings"
    this.pick = new Pick(this)
    this.connecting = new Connecting(this)
    this.el.addEventListener("input", (e) => this.typed(e))
    this.el.addEventListener("change", (e) => this.changed(e))
    this.el.addEventListener("click", (e) => this.clicked(e))
    this.el.addEventListener("keydown", (e) => this.key(e))
    this.el.addEventListener("submit", (e) => this.submitted(e))
    this.el.addEventListener("toggle", lazy, true)
    this.el.addEventListener("panel:anew", (e) => this.anew(e.target.closest("[data-field]").dataset.field))
  }

  // --- open, close

  async open(id, { focus = false, field = "", again = false, quiet = false } = {}) {
    if (this.node === id && !again && !this.el.hidden) {
      if (focus) this.focus(field)
      return
    }
    this.trying = false
    this.node = id
    await this.load(`${this.host.dataset.url}/nodes/${id}/panel?run=${this.host.runs.id}`, quiet)
    if (this.node !== id) return
    this.show(this.tab)
    this.conditions()
    if (focus) this.focus(field)
    // The panel took room from the canvas: keep the step in sight.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        const node = this.host.graph.nodes.get(id)
        if (node && this.host.view.level !== "far") this.host.view.show(box(node))
      }),
    )
  }

  // quiet: not if one has begun to type while it was on its way.
  async load(url, quiet = false) {
    this.loading?.abort()
    const mine = (this.loading = new AbortController())
    const reply = await fetch(url, { signal: mine.signal, headers: { Accept: "text/html", "HX-Request": "true", "HX-Request-Type": "partial" } }).catch(() => null)
    if (!reply || mine !== this.loading) return false
    if (!reply.ok) {
      if (reply.status !== 404) this.host.toast(t`The settings could not be read. Try again.`)
      return false
    }
    const text = await reply.text().catch(() => null) // another page may have been asked for while it was read
    if (text === null || (quiet && this.busy)) return false
    this.el.replaceChildren(markup(text))
    const was = this.el.hidden
    this.el.hidden = false
    if (was) this.host.view.room.refit()
    return true
  }

  // A page of the panel that is not about one step: publish, versions, about.
  async page(url) {
    await this.host.outbox.flush()
    this.node = ""
    this.trying = false
    this.host.select([], { open: false, keep: true })
    if (await this.load(url)) (this.el.querySelector("[autofocus]") ?? this.el.querySelector("input, button"))?.focus()
  }

  close() {
    this.loading?.abort() // also while it is not there yet: the settings of a step that was just removed open no more
    if (this.el.hidden) {
      this.node = ""
      return
    }
    const inside = this.el.contains(document.activeElement)
    const node = this.node
    this.node = ""
    this.trying = false
    this.el.hidden = true
    this.el.replaceChildren()
    this.host.view.room.refit()
    if (inside && node) this.host.focusNode(node, false)
  }

  // The same step anew, unless one types in it right now.
  get busy() {
    return this.el.contains(document.activeElement) && document.activeElement.matches("input, textarea, select")
  }

  refresh() {
    if (this.node && !this.busy && !this.trying) this.open(this.node, { again: true, quiet: true })
  }

  focus(field = "") {
    const name = CSS.escape(field.split(/[.[]/)[0])
    const wanted = field ? this.el.querySelector(`[data-field="${name}"], [data-policy] [name="${name}"]`) : null
    if (wanted) this.show("settings")
    const details = wanted?.closest("details")
    if (details) details.open = true
    const control = wanted?.matches("input, textarea, select") ? wanted : (wanted?.querySelector(".picker") ?? [...(wanted?.querySelectorAll("input, textarea, select, button") ?? [])].find((el) => el.checkVisibility()))
    ;(control ?? this.el.querySelector("[data-title]") ?? this.el.querySelector("input, textarea, button"))?.focus()
  }

  show(tab) {
    const tabs = [...this.el.querySelectorAll("[role=tab]")]
    if (!tabs.some((t) => t.dataset.tab === tab)) tab = tabs[0]?.dataset.tab ?? "settings" // notes and groups have settings only
    for (const t of tabs) {
      t.setAttribute("aria-selected", String(t.dataset.tab === tab))
      t.tabIndex = t.dataset.tab === tab ? 0 : -1
    }
    for (const pane of this.el.querySelectorAll("[data-pane]")) pane.hidden = pane.dataset.pane !== tab
    this.el.dispatchEvent(new CustomEvent("pane", { detail: tab }))
    if (tab === "input") this.pick.hint()
  }

  key(e) {
    if (e.key === "Escape") {
      e.preventDefault()
      e.stopPropagation()
      const node = this.node
      this.close()
      if (node) this.host.focusNode(node)
      return
    }
    const tab = e.target.closest?.("[role=tab]")
    if (tab && (e.key === "ArrowRight" || e.key === "ArrowLeft")) {
      const tabs = [...this.el.querySelectorAll("[role=tab]")]
      const on = (e.key === "ArrowRight") !== rtl
      const next = tabs[(tabs.indexOf(tab) + (on ? 1 : tabs.length - 1)) % tabs.length]
      this.tab = next.dataset.tab
      this.show(this.tab)
      next.focus()
      e.preventDefault()
    }
    // Enter sends a chat message, Shift+Enter breaks the line.
    if (e.key === "Enter" && !e.shiftKey && !e.isComposing && e.target.matches("[data-say]")) {
      e.preventDefault()
      e.target.form.requestSubmit()
    }
  }

  // --- settings

  typed(e) {
    const control = e.target
    if (control.matches("[data-title]")) return this.rename(control)
    if (control.matches("[data-find]")) return find(this.el, control.value)
    if (control.type === "range") {
      const out = control.parentElement.querySelector("output")
      if (out) out.textContent = control.value
    }
    if (control.matches("input[type=text], input[type=number], input[type=range], input[type=url], input:not([type]), textarea")) this.save(control, TYPED)
  }

  changed(e) {
    const control = e.target
    if (control.matches("[data-title], input[type=text], input[type=number], input[type=range], input[type=url], input:not([type]), textarea")) {
      if (!control.closest("[data-policy], [data-field]")) return
    }
    this.save(control, 0)
  }

  save(control, wait) {
    const policy = control.closest("[data-policy]")
    if (policy) return this.policy(wait)
    const field = control.closest("[data-field]")
    if (!field || !this.node) return
    if (control.closest("[data-exposed]")) return exposeWords(this, control, wait)
    this.write(field, wait)
  }

  write(field, wait = 0) {
    const name = field.dataset.field
    const value = valueOf(field)
    if (value === undefined) return
    const id = this.node
    const node = this.host.graph.nodes.get(id)
    const text = JSON.stringify(value)
    if (field.dataset.saved === text) return
    field.dataset.saved = text
    field.toggleAttribute("data-changed", text !== JSON.stringify(JSON.parse(field.dataset.default ?? "null")))
    const op = node?.note && name === "text" ? { op: "note.text", id, text: value } : { op: "node.config", id, field: name, value }
    this.host.edit.run([op], { merge: `config ${id} ${name}`, wait })
    this.conditions()
  }

  conditions() {
    conditions(this.el)
  }

  policy(wait) {
    const op = policyOf(this.el.querySelector("[data-policy]"), this.node)
    if (op) this.host.edit.run([op], { merge: `policy ${this.node}`, wait })
  }

  rename(control) {
    this.host.edit.run([{ op: "node.label", id: this.node, label: control.value.trim() }], { merge: `label ${this.node}`, wait: TYPED })
  }

  // {step: {field: words}} from the server's answer.
  errors(all) {
    const mine = all[this.node]
    if (!mine || this.el.hidden) return
    for (const field of this.el.querySelectorAll("[data-field]")) fault(field, mine[field.dataset.field] ?? "")
  }

  clicked(e) {
    const button = e.target.closest("button")
    if (!button) return
    if (button.dataset.tab) {
      this.tab = button.dataset.tab
      this.show(this.tab)
    } else if (rowDeed(this, button)) return
    else if (button.dataset.insert !== undefined) this.insert(button)
    else if (button.dataset.connect !== undefined) this.connecting.open(button.closest("[data-key], [data-field]"), button)
    else if (button.dataset.expose !== undefined) exposeDeed(this, button)
    else if (button.dataset.pick !== undefined) this.pick.put(button.dataset.pick)
    else if (button.dataset.reset !== undefined) this.reset(button.closest("[data-field]"))
    else if (button.dataset.settle !== undefined) this.settled(button)
    else if (button.dataset.stop !== undefined) this.host.runs.stop()
    else if (button.dataset.again !== undefined) this.newTalk()
    else if (button.dataset.editSaid !== undefined) this.host.runs.talk.unsay()
  }

  reset(field) {
    const name = field.dataset.field
    this.host.edit.run([{ op: "node.config", id: this.node, field: name }])
    this.anew(name)
  }

  anew(field) {
    return this.host.outbox.flush().then(() => this.open(this.node, { again: true, focus: true, field }))
  }

  // The list of what this text may mention; the chosen one lands where the cursor is.
  insert(button) {
    const field = button.closest("[data-insert-into], [data-field], [data-key]").querySelector("value-field")
    const box = button.getBoundingClientRect()
    this.host.picker.open({
      title: t`Insert a value`,
      x: rtl ? box.right + 160 : box.left - 160,
      y: box.bottom + 4,
      empty: t`Wire something into this step first: its inputs are the values you can use.`,
      items: field.variables.map((v) => ({
        label: v.name,
        hint: v.value ? `${v.origin} · ${v.value}` : v.origin,
        run: () => field.insert(v.name),
      })),
    })
  }

  settle(conflict, mine) {
    this.pending = mine
    this.host.select([conflict.id], { open: false })
    this.open(conflict.id, { again: true }).then(() => askWhose(this.el, conflict, mine))
  }

  settled(button) {
    const mine = this.pending
    button.closest(".conflict").remove()
    this.pending = null
    if (button.dataset.settle !== "mine" || !mine) return
    this.host.edit.run([mine])
    this.host.outbox.flush().then(() => this.open(this.node, { again: true }))
  }

  // --- the test face

  async tryIt(again = false) {
    if (this.trying && !again) return this.begin()
    await this.host.outbox.flush()
    this.node = ""
    if (!(await this.load(`${this.host.dataset.url}/try${this.host.runs.talk.query}`))) return
    this.trying = true
    this.host.runs.talk.retell()
    this.begin()
  }

  // Where one writes: the message, else the first field, else the button.
  begin() {
    for (const place of ["[data-say]", ":is(textarea, select, input):not([type=hidden], [hidden])", "[type=submit]"]) {
      const found = this.el.querySelector(`form[data-try] ${place}`)
      if (found) return found.focus()
    }
  }

  newTalk() {
    this.host.runs.talk.forget()
    this.tryIt(true)
  }

  submitted(e) {
    const { dataset } = e.target
    if (dataset.try !== undefined) {
      e.preventDefault()
      this.host.runs.submit(e.target)
    } else if (dataset.send !== undefined) {
      e.preventDefault()
      const button = e.submitter
      button?.setAttribute("aria-busy", "true")
      this.host
        .send(dataset.send, Object.fromEntries(new FormData(e.target)), dataset.method ?? "POST")
        .finally(() => button?.removeAttribute("aria-busy"))
    } else if (dataset.meta !== undefined) {
      e.preventDefault()
      const { name, description, cost_limit: cost } = Object.fromEntries(new FormData(e.target))
      this.host.edit.run([{ op: "flow.meta", name: name.trim() || bare(t`New flow`), description, cost_limit: cost ? Number(cost) : null }])
      this.close()
    }
  }
}
