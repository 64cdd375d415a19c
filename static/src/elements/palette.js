// Ctrl K: everything this page can do (the registry of keys.js), what elements of the page offer ("palette:ask"), what
// was used lately, and what the server finds (GET /palette?q=…). Options are links, carry data-opens or data-posts, or a deed.
import htmx from "./htmx.js";
import { deeds, register, words as caps } from "./keys.js";
import { t } from "../words.js";

const LATELY = "agentbase:palette";
const MOST_LATELY = 4;
const MOST_HERE = 6;

class CommandPalette extends HTMLElement {
  connectedCallback() {
    this.dialog = this.querySelector("dialog");
    this.field = this.querySelector("input");
    this.list = this.querySelector("[role=listbox]");
    [this.mine, this.found] = this.list.children;
    const open = () => this.open();
    document.addEventListener("open:palette", open);
    register("Mod+K", t`Search or do`, open, { group: t`Everywhere` });
    this.field.addEventListener("keydown", (event) => this.key(event));
    this.field.addEventListener("input", () => this.here());
    this.list.addEventListener("pointermove", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.choose(option);
    });
    this.list.addEventListener("click", (event) => this.go(event.target.closest("[role=option]"), event));
    // An observer hears of the swap before anything else can look at the list: the field never points at a line that
    // is gone. After settling once more: htmx carries attributes of elements with the same id over, the choice too.
    new MutationObserver(() => this.here()).observe(this.found, { childList: true });
    this.found.addEventListener("htmx:after:settle", () => this.here());
  }

  open() {
    if (this.dialog.open) return;
    this.field.value = "";
    this.able = deeds(); // before the dialog takes the focus: what can be done depends on where it was
    this.offers = [];
    document.dispatchEvent(new CustomEvent("palette:ask", { detail: { offer: (...items) => this.offers.push(...items) } }));
    this.dialog.showModal();
    this.field.focus();
    this.here();
    htmx.process(this.field); // the key may come before htmx has begun
    this.field.dispatchEvent(new CustomEvent("palette:open"));
  }

  // The lines that need no server, above what it found.
  here() {
    const words = this.field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (...texts) => words.every((word) => texts.join(" ").toLowerCase().includes(word));
    // Whose name begins with the words comes before whose name holds them, and that before a mere mention.
    const rank = (item) => {
      const name = (item.called ?? item.name).toLowerCase();
      return name.startsWith(words.join(" ")) ? 0 : words.every((word) => name.includes(word)) ? 1 : 2;
    };
    const found = [];
    if (words.length) {
      const offers = this.offers.filter((item) => fits(item.name, item.note, item.words ?? "")).sort((a, b) => rank(a) - rank(b));
      const doing = this.able.filter((entry) => fits(entry.label)).map((entry) => ({ name: entry.label, icon: entry.icon, combo: entry.combo, run: entry.deed }));
      const does = [...doing, ...offers.filter((item) => item.does)];
      const steps = offers.filter((item) => !item.does);
      if (does.length) found.push([t`Do here`, does.sort((a, b) => rank(a) - rank(b)).slice(0, MOST_HERE)]);
      if (steps.length) found.push([t`In this flow`, steps.slice(0, MOST_HERE)]);
      if (steps.length && rank(steps[0]) === 0 && !doing.length) found.reverse();
    } else {
      const lately = this.lately().map((name) => this.able.find((entry) => entry.label === name)).filter(Boolean);
      const items = lately.map((entry) => ({ name: entry.label, icon: entry.icon, combo: entry.combo, run: entry.deed }));
      if (items.length) found.push([t`Used lately`, items]);
    }
    this.mine.replaceChildren(...found.map(([title, items], i) => this.group(title, items, i)));
    if (found.length) this.found.querySelector(".palette__none")?.remove();
    this.choose(this.options()[0]);
  }

  group(title, items, nth) {
    const group = document.createElement("div");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", title);
    const head = Object.assign(document.createElement("p"), { className: "palette__group", textContent: title });
    head.setAttribute("role", "presentation");
    group.append(head, ...items.map((item, i) => this.line(item, `palette-here-${nth}-${i}`)));
    return group;
  }

  line({ name, note = "", icon, tile, combo = "", run }, id) {
    const el = Object.assign(document.createElement("div"), { className: "palette__item", id });
    el.setAttribute("role", "option");
    el.setAttribute("aria-selected", "false");
    el.deed = { name, run };
    const picture = tile ? tile.cloneNode(true) : Object.assign(document.createElement("span"), { className: "tile" });
    if (!tile && icon) picture.append(drawn(icon));
    picture.classList.remove("tile--24");
    el.append(picture, Object.assign(document.createElement("span"), { className: "palette__name", textContent: name }));
    if (note) el.append(Object.assign(document.createElement("span"), { className: "palette__note truncate", textContent: note }));
    const key = Object.assign(document.createElement("span"), { className: "key", textContent: combo ? caps(combo).join(" ") : t`Enter` });
    key.setAttribute("aria-hidden", "true");
    el.append(key);
    return el;
  }

  lately() {
    return JSON.parse(localStorage.getItem(LATELY) ?? "[]");
  }

  options() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  choose(option) {
    if (!option) return this.field.removeAttribute("aria-activedescendant");
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
    if (option.deed) {
      const { name, run } = option.deed;
      localStorage.setItem(LATELY, JSON.stringify([name, ...this.lately().filter((other) => other !== name)].slice(0, MOST_LATELY)));
      run(event);
    }
    if (option.dataset.posts) post(option.dataset.posts);
    if (option.dataset.opens) document.dispatchEvent(new CustomEvent(`open:${option.dataset.opens}`));
    if (option.dataset.themeChoice) document.dispatchEvent(new CustomEvent("theme", { detail: option.dataset.themeChoice }));
  }
}

// As its button in the page would: a form with the page's token.
function post(action) {
  const form = Object.assign(document.createElement("form"), { method: "post", action, hidden: true });
  const token = document.querySelector('meta[name="csrf-token"]').content;
  form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "_csrf", value: token }));
  document.body.append(form);
  form.submit();
}

// From the sprite that the page's other icons come from.
function drawn(name) {
  const from = document.querySelector("svg.icon use")?.getAttribute("href")?.split("#")[0] ?? "";
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${from}#${name}`);
  svg.append(use);
  return svg;
}

customElements.define("command-palette", CommandPalette);
