// Ctrl K: the server finds (GET /palette?q=…), this moves through what it found. Options are links or carry data-opens.
import htmx from "./htmx.js";
import { register } from "./keys.js";

class CommandPalette extends HTMLElement {
  connectedCallback() {
    this.dialog = this.querySelector("dialog");
    this.field = this.querySelector("input");
    this.list = this.querySelector("[role=listbox]");
    const open = () => this.open();
    document.addEventListener("open:palette", open);
    register("Mod+K", "Search or do", open, { group: "Everywhere" });
    this.field.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("pointermove", (event) => this.choose(event.target.closest("[role=option]")));
    this.list.addEventListener("click", (event) => this.go(event.target.closest("[role=option]"), event));
    // after settling: htmx carries attributes of elements with the same id over, the choice among them
    this.list.addEventListener("htmx:after:settle", () => this.choose(this.options()[0]));
  }

  open() {
    if (this.dialog.open) return;
    this.field.value = "";
    this.dialog.showModal();
    this.field.focus();
    htmx.process(this.field); // the key may come before htmx has begun
    this.field.dispatchEvent(new CustomEvent("palette:open"));
  }

  options() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  choose(option) {
    if (!option) return;
    this.list.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
    option.setAttribute("aria-selected", "true");
    this.field.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  key(event) {
    const options = this.options();
    const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown") this.choose(options[(at + 1) % options.length]);
    else if (event.key === "ArrowUp") this.choose(options[(at - 1 + options.length) % options.length]);
    else if (event.key === "Enter") this.go(options[at], event);
    else if (event.key === "Escape") this.dialog.close(); // a search field would only empty itself
    else return;
    event.preventDefault();
  }

  go(option, event) {
    if (!option) return;
    const href = option.dataset.href;
    if (href && (event.ctrlKey || event.metaKey)) window.open(href, "_blank", "noopener");
    else if (href) location.assign(href);
    this.dialog.close();
    if (option.dataset.opens) document.dispatchEvent(new CustomEvent(`open:${option.dataset.opens}`));
    if (option.dataset.themeChoice) document.dispatchEvent(new CustomEvent("theme", { detail: option.dataset.themeChoice }));
  }
}
customElements.define("command-palette", CommandPalette);
