// Files that go with the next message of a try: attached, dropped or pasted, kept by the server at once, shown as chips.

import { csrf, sentence } from "./outbox.js"
import { number, t } from "../words.js"

const MOST = 10 // with one message, as components/start/chat.py has it
const MOST_BYTES = 16 * 1024 * 1024

export class Files {
  constructor(runs) {
    this.runs = runs
    this.host = runs.host
    this.chips = [] // {name, size, file: what the server keeps of it, coming: its upload, if it is new}
    const panel = this.host.part("panel")
    panel.addEventListener("change", (e) => {
      if (!e.target.matches("[data-attach]")) return
      this.add(e.target.files)
      e.target.value = ""
    })
    panel.addEventListener("paste", (e) => {
      const files = e.clipboardData?.files
      if (!files?.length || !e.target.matches("[data-say]") || !this.taken) return
      e.preventDefault()
      this.add(files)
    })
    panel.addEventListener("dragover", (e) => {
      if (!this.taken || !e.dataTransfer.types.includes("Files")) return
      e.preventDefault()
      this.face.dataset.over = ""
    })
    panel.addEventListener("dragleave", (e) => !this.face?.contains(e.relatedTarget) && this.let())
    panel.addEventListener("drop", (e) => {
      if (!this.taken || !e.dataTransfer.files.length) return
      e.preventDefault()
      this.let()
      this.add(e.dataTransfer.files)
    })
    panel.addEventListener("click", (e) => {
      const { unattach } = e.target.closest("[data-unattach]")?.dataset ?? {}
      if (unattach === undefined) return
      this.chips.splice(Number(unattach), 1)
      this.draw()
      this.face.querySelector("[data-say]").focus()
    })
  }

  get face() {
    return this.host.panel.el.querySelector(".face")
  }

  // Whether this chat takes files at all.
  get taken() {
    return Boolean(this.face?.querySelector("[data-attach]"))
  }

  let() {
    if (this.face) delete this.face.dataset.over
  }

  add(files) {
    for (const each of files) {
      if (this.chips.length >= MOST) return this.host.toast(t`At most ${MOST} files go with one message.`)
      if (each.size > MOST_BYTES) {
        this.host.toast(t`“${each.name}” has ${number(each.size / 1048576, 1)} MB; at most ${16} MB are taken.`)
        continue
      }
      const chip = { name: each.name, size: each.size, file: null }
      chip.coming = this.upload(chip, each)
      this.chips.push(chip)
    }
    this.draw()
    this.face.querySelector("[data-say]").focus()
  }

  async upload(chip, file) {
    const reply = await fetch(`/settings/files/upload?name=${encodeURIComponent(file.name || "file")}`, {
      method: "POST",
      headers: { Accept: "application/json", "Content-Type": "application/octet-stream", "X-CSRF-Token": csrf() },
      body: file,
    }).catch(() => null)
    const answer = await reply?.json().catch(() => null)
    if (reply?.status === 201 && answer) chip.file = answer
    else {
      this.chips = this.chips.filter((each) => each !== chip)
      this.host.toast(sentence(answer) || t`No connection. “${chip.name}” was not attached.`)
    }
    this.draw()
  }

  // Files of before, to go along once more.
  put(files) {
    this.chips = files.map((file) => ({ name: file.name, size: file.size, file }))
    this.draw()
  }

  // What goes with the message, once all of it is there; null when something did not get through: then nothing is sent.
  async take() {
    const wanted = this.chips.length
    await Promise.all(this.chips.map((chip) => chip.coming))
    if (this.chips.length < wanted) return null
    const files = this.chips.map((chip) => chip.file)
    this.chips = []
    this.draw()
    return files
  }

  draw() {
    const list = this.face?.querySelector("[data-files]")
    if (!list) return
    list.hidden = !this.chips.length
    list.replaceChildren(
      ...this.chips.map((chip, i) => {
        const item = chipOf(chip.file ? chip.name : `${chip.name} …`)
        const away = Object.assign(document.createElement("button"), { type: "button", ariaLabel: t`Take ${chip.name} away` })
        away.dataset.unattach = String(i)
        away.append(this.runs.icon("x"))
        item.append(away)
        return item
      }),
    )
  }
}

// One file's name, in a list of files.
export function chipOf(name) {
  const item = Object.assign(document.createElement("li"), { className: "file-chip" })
  item.append(Object.assign(document.createElement("span"), { className: "truncate", textContent: name }))
  return item
}
