// HTML that our own server rendered, as an element. The one place of the canvas that parses text as markup.

const policy = window.trustedTypes?.createPolicy?.("agentbase-canvas", { createHTML: (text) => text }) ?? { createHTML: (text) => text }

export function markup(text) {
  const template = document.createElement("template")
  template.innerHTML = policy.createHTML(text)
  return template.content.firstElementChild
}
