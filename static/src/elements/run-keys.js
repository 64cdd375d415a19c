// <run-keys>: J and K walk through the steps of the run on this page.
import { register } from "./keys.js";

class RunKeys extends HTMLElement {
  connectedCallback() {
    register("J", "Next step", () => this.walk(1));
    register("K", "Step before", () => this.walk(-1));
  }

  walk(by) {
    const links = [...document.querySelectorAll("#run .run-table .table__cover")];
    const at = links.findIndex((link) => link.closest("tr").hasAttribute("aria-current"));
    const next = links[Math.min(Math.max(at + by, 0), links.length - 1)];
    next?.click();
    next?.scrollIntoView({ block: "nearest" });
  }
}
customElements.define("run-keys", RunKeys);
