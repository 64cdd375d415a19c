// The talk of the test face: what was said, the answer while it comes, the last question said otherwise.

import { chipOf } from "./runs-files.js"
import { t } from "../words.js"

export class Talk {
  constructor(runs) {
    this.runs = runs
    this.host = runs.host
    this.turns = []
    this.text = ""
    this.answer = null // the element the answer is written into
    this.kept = `agentbase.talk.${this.host.dataset.flow}`
    this.id = sessionStorage.getItem(this.kept) ?? undefined
    this.host.part("panel").addEventListener("click", (e) => {
      const { talk } = e.target.closest("[data-talk]")?.dataset ?? {}
      if (talk) this.open(talk)
    })
  }

  // What the face asks the server for: a talk of before, unless what was said stands in memory.
  get query() {
    return this.id && !this.turns.length ? `?talk=${encodeURIComponent(this.id)}` : ""
  }

  // Another talk of this flow's tries, to go on with.
  async open(id) {
    if (this.runs.active) return this.host.toast(t`A run goes on. Stop it first.`)
    this.forget()
    this.keep(id)
    await this.host.panel.tryIt(true)
  }

  keep(id) {
    this.id = id
    sessionStorage.setItem(this.kept, id)
  }

  get el() {
    return this.host.panel.el
  }

  // The list the face writes into; a conversation among the values of a step looks alike and is none.
  get list() {
    return this.el.querySelector(".face .talk[aria-live]")
  }

  // --- one question and its answer

  ask(message, files = []) {
    this.bubble("user", message, files)
    this.keep(this.id ?? crypto.randomUUID?.() ?? String(Date.now()))
    const given = { message, history: this.turns.slice(-20).map(({ role, text }) => ({ role, text })), conversation: this.id, ...(files.length ? { files } : {}) }
    this.turns.push({ role: "user", text: message, files })
    return given
  }

  begin() {
    this.text = ""
    this.answer = this.bubble("assistant", "")
  }

  more(text) {
    if (!this.answer) return
    this.text += text
    this.answer.textContent = this.text
  }

  says(words) {
    if (this.answer) this.answer.textContent = words
  }

  end(status, words, chat) {
    if (this.answer) {
      this.answer.textContent = words
      this.answer.parentElement.dataset.state = status
      if (chat && status === "succeeded") this.turns.push({ role: "assistant", text: words, run: this.runs.id })
      if (chat) this.credit(this.answer.parentElement)
      if (chat && status === "succeeded") this.runs.rating.below(this.answer.parentElement, this.runs.id)
    }
    this.answer = null
    this.offer()
  }

  // --- the whole of it

  // The face was drawn anew: what was said so far stands in it again, or comes from the server.
  retell() {
    if (!this.el.querySelector('[data-try="chat"]')) return
    if (!this.turns.length) {
      this.turns = [...this.el.querySelectorAll("[data-turn]")].map((item) => ({ role: item.dataset.turn, text: item.firstElementChild.textContent, run: this.runs.rating.known(item.querySelector("[data-rate]")) }))
      this.scroll()
    } else for (const { role, text, files, run } of this.turns) this.runs.rating.below(this.bubble(role, text, files)?.parentElement, run)
    this.offer()
  }

  forget() {
    this.turns = []
    this.id = undefined
    sessionStorage.removeItem(this.kept)
  }

  // The last question can be said otherwise; the talk then goes on from before it.
  offer() {
    this.el.querySelector("[data-edit-said]")?.remove()
    const last = [...this.el.querySelectorAll(".talk__turn--user")].at(-1)
    if (!last || this.runs.active) return
    const edit = document.createElement("button")
    edit.type = "button"
    edit.className = "talk__edit"
    edit.dataset.editSaid = ""
    edit.textContent = t`Edit and send again`
    last.append(edit)
  }

  unsay() {
    if (this.runs.active) return
    const at = this.turns.findLastIndex((turn) => turn.role === "user")
    const box = this.el.querySelector("[data-say]")
    if (at < 0 || !box) return
    box.value = this.turns[at].text
    this.runs.files.put(this.turns[at].files ?? [])
    this.turns.length = at
    const shown = [...this.el.querySelectorAll(".talk__turn")]
    const last = shown.findLastIndex((turn) => turn.matches(".talk__turn--user"))
    for (const turn of shown.slice(last)) turn.remove()
    this.offer()
    box.focus()
  }

  // The last question once more, as it was.
  again() {
    this.unsay()
    this.el.querySelector('form[data-try="chat"]')?.requestSubmit()
  }

  // Which steps made the answer, each a way to what it got and gave.
  credit(turn) {
    const { steps } = this.runs
    const ran = this.host.graph.ordered().filter((node) => ["succeeded", "failed"].includes(steps.get(node.id)?.status))
    if (!ran.length) return
    const line = document.createElement("p")
    line.className = "talk__steps"
    for (const node of ran) {
      const jump = document.createElement("button")
      jump.type = "button"
      jump.dataset.jump = node.id
      jump.textContent = node.title
      line.append(jump)
    }
    turn.append(line)
  }

  bubble(who, text, files = []) {
    const { list } = this
    if (!list) return null
    const item = document.createElement("li")
    item.className = `talk__turn talk__turn--${who}`
    const words = document.createElement("p")
    words.textContent = text
    item.append(words)
    if (files.length) {
      const chips = Object.assign(document.createElement("ul"), { className: "file-chips", ariaLabel: t`Files` })
      chips.append(...files.map((file) => chipOf(file.name)))
      item.append(chips)
    }
    list.append(item)
    this.scroll()
    return words
  }

  scroll() {
    const { list } = this
    if (list) list.scrollTop = list.scrollHeight
  }
}

export const shown = (output) => {
  if (output === null || output === undefined) return t`Done, without an answer.`
  if (typeof output === "string") return output
  if (typeof output.text === "string" && output.text) return output.text
  return JSON.stringify(output, null, 2)
}
