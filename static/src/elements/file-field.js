// <file-field accepts="text/csv,image/*" most="16777216">: a file put into the settings where it is needed. It is uploaded at
// once; the textarea [data-source] holds what the flow keeps of it: name, type, size and hash.
import { number, t } from "../words.js"

const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp"]

class FileField extends HTMLElement {
  connectedCallback() {
    this.input = this.querySelector("input[type=file]")
    if (!this.input || this.ready) return
    this.ready = true
    this.source = this.querySelector("[data-source]")
    this.drop = this.querySelector("[data-drop]")
    this.input.addEventListener("input", (e) => e.stopPropagation())
    this.input.addEventListener("change", (e) => {
      e.stopPropagation()
      if (this.input.files[0]) this.upload(this.input.files[0])
    })
    this.querySelector("[data-remove]").addEventListener("click", () => this.take(null))
    for (const kind of ["dragenter", "dragover"])
      this.drop.addEventListener(kind, (e) => {
        e.preventDefault()
        this.drop.dataset.over = ""
      })
    this.drop.addEventListener("dragleave", () => delete this.drop.dataset.over)
    this.drop.addEventListener("drop", (e) => {
      e.preventDefault()
      delete this.drop.dataset.over
      if (e.dataTransfer.files[0]) this.upload(e.dataTransfer.files[0])
    })
  }

  fault(words) {
    const el = this.querySelector("[data-fault]")
    el.hidden = !words
    el.querySelector("span").textContent = words
  }

  fits(type) {
    const accepts = this.getAttribute("accepts")
    return !accepts || accepts.split(",").some((each) => each === type || (each.endsWith("/*") && type.startsWith(each.slice(0, -1))))
  }

  upload(file) {
    const most = Number(this.getAttribute("most"))
    this.fault("")
    if (file.size > most) return this.fault(t`“${file.name}” has ${number(file.size / 1048576, 1)} MB; at most ${most / 1048576} MB are kept.`)
    const bar = this.querySelector("progress")
    const request = new XMLHttpRequest() // fetch can't tell how far an upload is
    request.open("POST", `/settings/files/upload?name=${encodeURIComponent(file.name)}`)
    request.setRequestHeader("Accept", "application/json")
    request.setRequestHeader("Content-Type", "application/octet-stream")
    request.setRequestHeader("X-CSRF-Token", document.querySelector('meta[name="csrf-token"]').content)
    request.upload.addEventListener("progress", (e) => (bar.value = e.lengthComputable ? e.loaded / e.total : 0))
    request.addEventListener("loadend", () => {
      bar.hidden = true
      this.input.value = ""
      let answer = null
      try {
        answer = JSON.parse(request.responseText)
      } catch {
        answer = null
      }
      if (request.status !== 201 || !answer) return this.fault([answer?.title, answer?.remedy].filter(Boolean).join(" ") || t`No connection. Nothing was put in; try again.`)
      if (!this.fits(answer.media_type)) return this.fault(t`“${answer.name}” is ${answer.media_type}; this setting takes ${this.getAttribute("accepts")}.`)
      this.take(answer)
    })
    bar.value = 0
    bar.hidden = false
    request.send(file)
  }

  take(file) {
    this.source.value = file ? JSON.stringify(file) : ""
    this.querySelector("[data-card]").hidden = !file
    this.querySelector("[data-drop-words]").textContent = file ? t`Replace it, or drop another one` : t`Choose a file, or drop it here`
    this.fault("")
    if (file) {
      this.querySelector("[data-file-name]").textContent = file.name
      this.querySelector("[data-file-about]").textContent = t`${file.media_type} · ${number(file.size)} bytes`
      const picture = this.querySelector("[data-picture]")
      picture.querySelector("img")?.remove()
      picture.querySelector("svg")?.toggleAttribute("hidden", PICTURES.includes(file.media_type))
      if (PICTURES.includes(file.media_type)) picture.append(Object.assign(new Image(), { src: `/settings/files/${file.id}/content`, alt: "" }))
    }
    this.source.dispatchEvent(new Event("input", { bubbles: true }))
    this.input.focus()
  }
}

customElements.define("file-field", FileField)
