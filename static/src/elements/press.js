// <a data-press="a">, <button data-press="z">: a key of the page that does what a click does.
import { register } from "./keys.js";

for (const thing of document.querySelectorAll("[data-press]")) {
  const label = thing.getAttribute("aria-label") ?? thing.textContent.trim();
  register(thing.dataset.press, label, () => (thing.disabled ? false : thing.click()));
}
