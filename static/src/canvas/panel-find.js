// A long form: only the settings whose name or help holds these words. An empty search shows all of them again.
import { conditions } from "./panel-values.js"

export function find(panel, text) {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean)
  const pane = panel.querySelector('[data-pane="settings"]')
  for (const field of pane.querySelectorAll("[data-field]")) {
    const said = [field.dataset.field, ...[...field.querySelectorAll(":scope > .step-field__label > .label, .setting__name, :scope > .field__help")].map((el) => el.textContent)]
    field.hidden = !wanted.every((word) => said.join(" ").toLowerCase().includes(word))
  }
  if (!wanted.length) return conditions(panel)
  for (const details of pane.querySelectorAll("details:has([data-field])")) details.open = true
}
