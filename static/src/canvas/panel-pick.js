// One click on a value of the last run puts its path into the text one was in last, else into the first one.
import { t } from "../words.js"

export class Pick {
  constructor(panel) {
    this.panel = panel
    this.at = ""
    panel.el.addEventListener("focusin", (e) => {
      const field = e.target.closest("value-field")
      if (field) this.at = field.area?.id ?? ""
    })
  }

  // Fields are drawn anew when a run ends; their ids stay.
  get field() {
    const all = [...this.panel.el.querySelectorAll("value-field")].filter((field) => !field.closest("[hidden]:not([data-pane])"))
    return all.find((field) => field.area?.id === this.at) ?? all[0] ?? null
  }

  label(field) {
    return this.panel.el.querySelector(`label[for="${CSS.escape(field.area.id)}"]`)?.textContent ?? field.area.getAttribute("aria-label") ?? t`the text`
  }

  hint() {
    const words = this.panel.el.querySelector("[data-pick-hint]")
    const { field } = this
    if (words && field) words.textContent = t`Click a value to put it into “${this.label(field)}”.`
  }

  put(path) {
    const { field, panel } = this
    if (!field || field.area.disabled) return
    panel.tab = "settings"
    panel.show("settings")
    const details = field.closest("details")
    if (details) details.open = true
    field.insert(path)
    panel.host.say(t`${path} put into ${this.label(field)}`)
  }
}
