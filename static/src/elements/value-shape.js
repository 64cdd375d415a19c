// The shape of a port type, as templates/parts/status.html draws it; "" = a function.
const DRAWN = {
  text: "M6 1a5 5 0 1 1 0 10A5 5 0 0 1 6 1z",
  number: "M2.5 1h7A1.5 1.5 0 0 1 11 2.5v7A1.5 1.5 0 0 1 9.5 11h-7A1.5 1.5 0 0 1 1 9.5v-7A1.5 1.5 0 0 1 2.5 1z",
  yesno: "M6 0l6 6-6 6-6-6z",
  object: "M3.2 1h5.6L12 6l-3.2 5H3.2L0 6z",
  list: "M0 1h12v2.6H0zM0 4.7h12v2.6H0zM0 8.4h12V11H0z",
  file: "M2 0h5.5L11 3.5V12H2z",
  image: "M2 0h5.5L11 3.5V12H2z",
  audio: "M2 0h5.5L11 3.5V12H2z",
  document: "M2 0h5.5L11 3.5V12H2z",
  message: "M1 1h10v7.5H5.5L2.5 11.5V8.5H1z",
  any: "M6 .5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zm0 2.6a2.9 2.9 0 1 0 0 5.8 2.9 2.9 0 0 0 0-5.8z",
  "": "M9.6 1.2C8 .4 6.4 1 6 3L5.700 4.500H4v1.500h1.400L4.600 9.600C4.400 10.400 3.900 10.500 3 10.200L2.500 11.500C4.400 12.200 5.700 11.500 6.100 9.700L6.900 6H9V4.500H7.200L7.500 3.100C7.600 2.400 8.300 2.200 9.100 2.500z",
};
const SVG = "http://www.w3.org/2000/svg";

export function shape(type) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", type ? `port port--${type}` : "port port--function");
  svg.setAttribute("viewBox", "0 0 12 12");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  if (type === "any") path.setAttribute("fill-rule", "evenodd");
  path.setAttribute("d", DRAWN[type] ?? DRAWN.any);
  svg.append(path);
  return svg;
}
