// <choice-picker><select>…</select></choice-picker>: a long list with search, and under each name what its option says
// after " · " (price, size). The select stays: it is sent, it is what works without scripts, and changes tell of it.
import { rtl, t } from "../words.js";

const CHOICES = t`Choices`;
let count = 0;

class ChoicePicker extends HTMLElement {
  connectedCallback() {
    this.select = this.querySelector("select");
    if (!this.select || this.button) return;
    const n = ++count;
    this.button = Object.assign(document.createElement("button"), { type: "button", className: "picker", id: `${this.select.id}-pick` });
    this.button.setAttribute("aria-haspopup", "listbox");
    this.button.setAttribute("aria-expanded", "false");
    this.button.disabled = this.select.disabled;
    this.label = document.querySelector(`label[for="${CSS.escape(this.select.id)}"]`);
    if (this.label) {
      this.label.id ||= `${this.select.id}-label`;
      this.label.htmlFor = this.button.id;
      this.button.setAttribute("aria-labelledby", `${this.label.id} ${this.button.id}`);
    }
    const arrows = this.querySelector(".icon");
    this.words = part("span", "picker__words");
    this.button.append(this.words);
    if (arrows) this.button.append(arrows);
    this.select.closest(".select-box").hidden = true;
    this.append(this.button);
    this.pop = part("div", "popover choice-picker__list");
    this.pop.popover = "auto";
    this.pop.id = `choices-${n}`;
    this.search = Object.assign(part("input", "input"), { type: "text", autocomplete: "off", placeholder: t`Search` });
    this.search.setAttribute("role", "combobox");
    this.search.setAttribute("aria-label", t`Search: ${this.label?.textContent ?? CHOICES}`);
    this.search.setAttribute("aria-expanded", "true");
    this.list = part("div", "choice-picker__options");
    this.list.id = `${this.pop.id}-list`;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", this.label?.textContent ?? CHOICES);
    this.search.setAttribute("aria-controls", this.list.id);
    this.pop.append(this.search, this.list);
    this.append(this.pop);
    this.button.addEventListener("click", () => this.open());
    this.search.addEventListener("input", (e) => {
      e.stopPropagation(); // a search is no setting
      this.filter();
    });
    this.search.addEventListener("change", (e) => e.stopPropagation());
    this.search.addEventListener("keydown", (e) => this.key(e));
    this.list.addEventListener("pointerdown", (e) => e.preventDefault());
    this.list.addEventListener("click", (e) => this.choose(e.target.closest("[role=option]")));
    this.pop.addEventListener("toggle", (e) => this.button.setAttribute("aria-expanded", String(e.newState === "open")));
    this.select.addEventListener("change", () => this.show());
    this.show();
  }

  show() {
    const chosen = this.select.selectedOptions[0];
    this.words.replaceChildren(...words(chosen?.text ?? "", "picker__name", "picker__note"));
  }

  open() {
    this.search.value = "";
    this.pop.showPopover();
    this.filter();
    const box = this.button.getBoundingClientRect();
    const mine = this.pop.getBoundingClientRect();
    const below = box.bottom + 4 + mine.height < innerHeight || box.top < mine.height;
    this.pop.style.width = `${Math.max(box.width, Math.min(280, innerWidth - 16))}px`;
    const wide = Math.max(box.width, 280);
    this.pop.style.left = `${Math.max(8, Math.min(rtl ? box.right - wide : box.left, innerWidth - wide - 8))}px`;
    this.pop.style.top = `${Math.max(8, below ? Math.min(box.bottom + 4, innerHeight - mine.height - 8) : box.top - mine.height - 4)}px`;
    this.search.focus();
  }

  filter() {
    const wanted = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = [];
    let group = null;
    for (const option of this.select.options) {
      const of = option.parentElement.matches("optgroup") ? option.parentElement : null;
      const all = `${option.text} ${of?.label ?? ""}`.toLowerCase();
      if (!wanted.every((word) => all.includes(word))) continue;
      if (of && of !== group) rows.push(Object.assign(part("div", "menu__group"), { textContent: of.label }));
      group = of;
      rows.push(this.row(option));
    }
    if (!rows.length) rows.push(Object.assign(part("p", "popover__text muted"), { textContent: t`Nothing here is called “${this.search.value}”.` }));
    this.list.replaceChildren(...rows);
    const options = this.options;
    this.at(this.search.value ? 0 : Math.max(0, options.findIndex((row) => row.option.selected)));
  }

  get options() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  row(option) {
    const row = part("div", "menu__item");
    row.id = `${this.pop.id}-${option.index}`;
    row.option = option;
    row.setAttribute("role", "option");
    const text = part("span", "menu__words");
    text.append(...words(option.text, "choice-picker__name", "menu__note"));
    row.append(text);
    if (option.selected) row.dataset.chosen = "";
    return row;
  }

  at(index) {
    const { options } = this;
    if (!options.length) return this.search.removeAttribute("aria-activedescendant");
    this.index = (index + options.length) % options.length;
    options.forEach((row, i) => row.setAttribute("aria-selected", String(i === this.index)));
    this.search.setAttribute("aria-activedescendant", options[this.index].id);
    options[this.index].scrollIntoView({ block: "nearest" });
  }

  key(e) {
    e.stopPropagation(); // the panel's Escape would close the panel
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (step) this.at(this.index + step);
    else if (e.key === "Enter") this.choose(this.options[this.index]);
    else if (e.key === "Escape" || e.key === "Tab") this.close();
    else return;
    e.preventDefault();
  }

  choose(row) {
    if (!row) return;
    this.close();
    if (this.select.value === row.option.value) return;
    this.select.value = row.option.value;
    this.select.dispatchEvent(new Event("change", { bubbles: true }));
  }

  close() {
    this.pop.hidePopover();
    this.button.focus();
  }
}

function part(tag, name) {
  return Object.assign(document.createElement(tag), { className: name });
}

function words(text, first, second) {
  const [name, ...rest] = text.split(" · ");
  const found = [Object.assign(part("span", first), { textContent: name })];
  if (rest.length) found.push(Object.assign(part("span", second), { textContent: rest.join(" · ") }));
  return found;
}

customElements.define("choice-picker", ChoicePicker);
