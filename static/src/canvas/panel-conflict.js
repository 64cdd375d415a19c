// Two people wrote the same text: theirs is in place, ours stands above the field and is one press away.
import { t } from "../words.js"

export function askWhose(panel, conflict, mine) {
  const field = panel.querySelector(`[data-field="${CSS.escape(conflict.field)}"]`)
  const box = document.createElement("div")
  box.className = "notice notice--warning conflict"
  box.setAttribute("role", "alert")
  const words = document.createElement("p")
  words.className = "notice__words"
  const strong = document.createElement("strong")
  strong.textContent = conflict.by ? t`${conflict.by} changed this text while you did.` : t`Somebody changed this text while you did.`
  const yours = document.createElement("span")
  yours.className = "conflict__yours"
  yours.textContent = t`Yours: ${mine.value ?? mine.text}`
  words.append(strong, yours)
  for (const [which, label] of [
    ["mine", t`Use mine`],
    ["theirs", t`Keep theirs`],
  ]) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "button button--small", textContent: label })
    button.dataset.settle = which
    words.append(button)
  }
  box.append(words)
  ;(field ?? panel.firstElementChild).before(box)
  box.querySelector("button").focus()
}
