// data-tip="Undo" data-tip-key="Z": the name of an icon button, on hover and on keyboard focus. One element for all.
import { place } from "./pop-menu.js";

const tip = document.getElementById("tooltip");
let timer = 0;

function show(target) {
  if (target.popoverTargetElement?.matches(":popover-open")) return; // it would lie on the menu that it names
  // in the narrow rail the words are hidden, so the icon's name is needed there and only there
  const text = target.dataset.tip ?? target.dataset.tipNarrow;
  if (target.dataset.tipNarrow && getComputedStyle(target.querySelector(".nav__word")).display !== "none") return;
  tip.textContent = text;
  if (target.dataset.tipKey) {
    const key = document.createElement("kbd");
    key.textContent = target.dataset.tipKey;
    tip.append(key);
  }
  tip.showPopover();
  place(tip, target);
}

function hide() {
  clearTimeout(timer);
  if (tip.matches(":popover-open")) tip.hidePopover();
}

if (tip) {
  document.addEventListener("pointerover", (event) => {
    const target = event.pointerType === "mouse" && event.target.closest?.("[data-tip], [data-tip-narrow]");
    clearTimeout(timer);
    if (target) timer = setTimeout(() => show(target), 400);
    else hide();
  });
  document.addEventListener("focusin", (event) => {
    clearTimeout(timer);
    // a menu or picker that opens gives the focus away while it is being shown; no second one may be shown within that
    if (event.target.matches?.("[data-tip]:focus-visible, [data-tip-narrow]:focus-visible")) timer = setTimeout(() => show(event.target));
  });
  for (const name of ["focusout", "pointerdown", "keydown", "scroll"]) document.addEventListener(name, hide, { capture: true, passive: true });
}
