// The list under the cursor of a <value-field>: values and functions to choose from. The focus stays in the text.
import { shape } from "./value-shape.js";
import { rtl, t } from "../words.js";

let count = 0;

export class ValueList {
  constructor(field, choose) {
    this.field = field;
    this.choose = choose;
    this.el = document.createElement("div");
    this.el.id = `values-${++count}`;
    this.el.className = "popover value-list";
    this.el.popover = "manual";
    this.el.setAttribute("role", "listbox");
    this.el.setAttribute("aria-label", t`Values`);
    this.el.addEventListener("pointerdown", (e) => e.preventDefault());
    this.el.addEventListener("click", (e) => {
      const option = e.target.closest("[role=option]");
      if (option) this.choose(option.item);
    });
  }

  get open() {
    return this.el.isConnected && this.el.matches(":popover-open");
  }

  show(items, box) {
    if (!items.length) return this.hide();
    if (!this.el.isConnected) this.field.append(this.el);
    this.el.replaceChildren(...items.map((item, i) => this.option(item, i)));
    if (!this.open) this.el.showPopover();
    const { area } = this.field;
    area.setAttribute("aria-controls", this.el.id);
    this.at(0);
    const mine = this.el.getBoundingClientRect();
    const above = box.bottom + mine.height + 12 > innerHeight && box.top > mine.height + 12;
    this.el.style.left = `${Math.max(8, Math.min(rtl ? box.right - mine.width + 8 : box.left - 8, innerWidth - mine.width - 8))}px`;
    this.el.style.top = `${above ? box.top - mine.height - 4 : box.bottom + 4}px`;
  }

  option(item, i) {
    const el = document.createElement("div");
    el.className = "menu__item value-list__item";
    el.id = `${this.el.id}-${i}`;
    el.setAttribute("role", "option");
    el.item = item;
    const name = part("value-list__name", item.label);
    const words = part("menu__words", "");
    words.append(name, part("menu__note", item.hint));
    el.append(shape(item.type), words);
    if (item.value) el.append(part("value-list__value", item.value));
    return el;
  }

  at(index) {
    const options = [...this.el.children];
    this.index = (index + options.length) % options.length;
    options.forEach((el, i) => el.setAttribute("aria-selected", String(i === this.index)));
    options[this.index].scrollIntoView({ block: "nearest" });
    this.field.area.setAttribute("aria-activedescendant", options[this.index].id);
  }

  // True = this key was for the list.
  key(e) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (step) this.at(this.index + step);
    else if ((e.key === "Enter" || e.key === "Tab") && !e.shiftKey && !e.isComposing) this.choose(this.el.children[this.index].item);
    else if (e.key === "Escape") this.hide();
    else return false;
    e.preventDefault();
    e.stopPropagation();
    return true;
  }

  hide() {
    if (!this.open) return;
    this.el.hidePopover();
    this.field.area.removeAttribute("aria-activedescendant");
    this.field.area.removeAttribute("aria-controls");
  }
}

function part(name, text) {
  return Object.assign(document.createElement("span"), { className: name, textContent: text });
}
