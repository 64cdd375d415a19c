// <pop-menu popover role="menu">: a menu under the button that opens it. The browser does the opening and closing.
import { rtl } from "../words.js";

export function place(popover, anchor) {
  const button = anchor.getBoundingClientRect();
  const box = popover.getBoundingClientRect();
  const below = innerHeight - button.bottom - 8;
  const top = below >= box.height || below > button.top ? button.bottom + 4 : button.top - box.height - 4;
  const [from, to] = [button.left, button.right - box.width];
  const left = rtl ? (to >= 8 ? to : from) : from + box.width + 8 <= innerWidth ? from : to;
  popover.style.top = `${Math.max(8, Math.min(top, innerHeight - box.height - 8))}px`;
  popover.style.left = `${Math.max(8, Math.min(left, innerWidth - box.width - 8))}px`;
}

class PopMenu extends HTMLElement {
  connectedCallback() {
    this.addEventListener("toggle", (event) => {
      const anchor = document.querySelector(`[popovertarget="${CSS.escape(this.id)}"]`);
      anchor?.setAttribute("aria-expanded", String(event.newState === "open"));
      if (event.newState !== "open" || !anchor) return;
      place(this, anchor);
      if (this.getAttribute("role") === "menu") this.items()[0]?.focus();
    });
    this.addEventListener("keydown", (event) => this.key(event));
    this.addEventListener("click", (event) => {
      if (event.target.closest("[role=menuitem]")) this.hidePopover();
    });
  }

  items() {
    return [...this.querySelectorAll("[role^=menuitem]:not([disabled])")].filter((item) => item.checkVisibility()); // some are for phones only
  }

  key(event) {
    const items = this.items();
    const at = items.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (next !== undefined) items.at(next % items.length)?.focus();
    else if (event.key === "Tab") return this.hidePopover();
    else if (/^\p{L}$/u.test(event.key)) {
      const rest = [...items.slice(at + 1), ...items.slice(0, at + 1)];
      rest.find((item) => item.textContent.trim().toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
    } else return;
    event.preventDefault();
  }
}
customElements.define("pop-menu", PopMenu);
