// Lists of small forms in the panel: one more row, one less, one a place further up. True = this button was one of them.
export function rowDeed(panel, button) {
  if (button.dataset.rowAdd !== undefined) {
    const field = button.closest("[data-field]")
    const row = field.querySelector("template").content.firstElementChild.cloneNode(true)
    numbered(row, field.querySelectorAll("[data-row]").length)
    field.querySelector("[data-rows]").append(row)
    panel.conditions()
    row.querySelector("input, select, textarea")?.focus()
  } else if (button.dataset.rowRemove !== undefined) {
    const field = button.closest("[data-field]")
    button.closest("[data-row]").remove()
    panel.write(field)
    field.querySelector("[data-row-add]")?.focus()
  } else if (button.dataset.rowUp !== undefined) {
    const row = button.closest("[data-row]")
    const above = row.previousElementSibling
    if (!above?.matches("[data-row]")) return true
    above.before(row)
    panel.write(row.closest("[data-field]"))
    button.focus()
  } else return false
  return true
}

// Every row comes from one template: its ids must be its own, or labels would point at the first one.
function numbered(row, n) {
  for (const el of row.querySelectorAll("[id$='-new']")) {
    const id = el.id.replace(/new$/, `added-${n}-${performance.now().toFixed()}`)
    for (const label of row.querySelectorAll(`[for="${CSS.escape(el.id)}"]`)) label.htmlFor = id
    el.id = id
  }
}
