// A picture of the page's sprite, for what a script puts on the canvas.
const SVG = "http://www.w3.org/2000/svg"

export function icon(host, name) {
  const svg = document.createElementNS(SVG, "svg")
  svg.setAttribute("class", "icon")
  svg.setAttribute("aria-hidden", "true")
  const use = document.createElementNS(SVG, "use")
  use.setAttribute("href", `${host.dataset.sprite}#${name}`)
  svg.append(use)
  return svg
}
