// <run-keys>: J and K walk through the steps of the run on this page. And: a list that is in use is left alone.
import { register } from "./keys.js";
import { t } from "../words.js";

class RunKeys extends HTMLElement {
  connectedCallback() {
    register("J", t`Next step`, () => this.walk(1));
    register("K", t`Step before`, () => this.walk(-1));
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

// What somebody ticked or is writing must not be taken away because a run somewhere ended: the next event looks again.
document.addEventListener("refresh", (event) => {
  const list = event.target.closest?.("#run, #runs, #needs");
  if (list?.querySelector(".check:checked, textarea:focus")) event.stopImmediatePropagation();
}, true);
