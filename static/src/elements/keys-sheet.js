// `?` shows every key that this page knows.
import { letters, listed, register, words } from "./keys.js";
import { t } from "../words.js";

class KeysSheet extends HTMLElement {
  connectedCallback() {
    this.dialog = this.querySelector("dialog");
    const show = () => this.show();
    document.addEventListener("open:keys", show);
    register("?", t`These keys`, show, { group: t`Everywhere` });
    const box = this.querySelector(".switch");
    box.checked = letters();
    box.addEventListener("change", () => letters(box.checked));
  }

  show() {
    const groups = Map.groupBy ? Map.groupBy(listed(), (key) => key.group) : group(listed());
    this.querySelector(".keys").replaceChildren(...[...groups].map(([name, keys]) => this.group(name, keys)));
    this.dialog.showModal();
  }

  group(name, keys) {
    const section = document.createElement("section");
    const title = document.createElement("h3");
    title.textContent = name;
    const list = document.createElement("ul");
    for (const key of keys) {
      const row = document.createElement("li");
      const label = document.createElement("span");
      label.textContent = key.label;
      const combo = document.createElement("span");
      combo.className = "keys__combo";
      for (const word of words(key.combo)) {
        const cap = document.createElement("kbd");
        cap.textContent = word;
        combo.append(cap);
      }
      row.append(label, combo);
      list.append(row);
    }
    section.append(title, list);
    return section;
  }
}

function group(keys) {
  const groups = new Map();
  for (const key of keys) groups.set(key.group, [...(groups.get(key.group) ?? []), key]);
  return groups;
}

customElements.define("keys-sheet", KeysSheet);
