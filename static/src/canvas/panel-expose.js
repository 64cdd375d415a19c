// A setting on the flow's settings page: switched by its button, named by the two fields beneath it.
import { t } from "../words.js"

export function exposeDeed(panel, button) {
  const field = button.closest("[data-field]")
  const on = button.getAttribute("aria-pressed") === "true"
  const { field: name } = field.dataset
  panel.host.edit.run([{ op: "node.expose", id: panel.node, field: name, shown: on ? null : {} }])
  panel.host.say(on ? t`No longer on the settings page` : t`On the settings page`)
  panel.host.outbox.flush().then(async () => {
    await panel.open(panel.node, { again: true })
    panel.el.querySelector(`[data-field="${CSS.escape(name)}"] [data-expose]`)?.focus()
  })
}

export function exposeWords(panel, control, wait) {
  const field = control.closest("[data-field]")
  const read = (name) => field.querySelector(`[data-exposed-${name}]`).value.trim()
  const shown = Object.fromEntries(["label", "help"].map((name) => [name, read(name)]).filter(([, text]) => text))
  const op = { op: "node.expose", id: panel.node, field: field.dataset.field, shown }
  panel.host.edit.run([op], { merge: `expose ${panel.node} ${field.dataset.field}`, wait })
}
