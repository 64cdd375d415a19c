// <change-keys>: J and K (and its two buttons) walk through the changes of the page, and it says which one that is.
import { register } from "./keys.js";
import { t } from "../words.js";

class ChangeKeys extends HTMLElement {
  connectedCallback() {
    this.hidden = false;
    this.at = this.all().findIndex((change) => `#${change.id}` === location.hash);
    this.say();
    this.addEventListener("click", (event) => {
      const by = event.target.closest("[data-by]")?.dataset.by;
      if (by) this.walk(Number(by));
    });
    register("J", t`Next change`, () => this.walk(1));
    register("K", t`Change before`, () => this.walk(-1));
  }

  all() {
    return [...document.querySelectorAll("#difference .change")];
  }

  walk(by) {
    const all = this.all();
    const there = all.indexOf(document.activeElement?.closest?.(".change"));
    if (there >= 0) this.at = there;
    this.at = Math.min(Math.max(this.at + by, 0), all.length - 1);
    all[this.at]?.focus();
    all[this.at]?.scrollIntoView({ block: "nearest" });
    this.say();
  }

  say() {
    const all = this.all().length;
    this.querySelector("[data-part=place]").textContent = this.at < 0 ? `${all}` : t`${this.at + 1} of ${all}`;
  }
}
customElements.define("change-keys", ChangeKeys);
