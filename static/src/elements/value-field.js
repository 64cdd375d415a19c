// <value-field kind="template|expression" setting="prompt"><textarea …></textarea></value-field>
// A text with values {{ name }}, or an expression. The textarea stays what is typed into, read out and sent; beneath it
// the same letters are drawn again with the values as chips. Without scripts it is that textarea.
import { ValueList } from "./value-list.js";
import { ValuePreview } from "./value-preview.js";
import { shape } from "./value-shape.js";
import { asked, holes, offers, words } from "./value-words.js";
import { rtl, t } from "../words.js";

class ValueField extends HTMLElement {
  connectedCallback() {
    this.area = this.querySelector("textarea");
    if (!this.area || this.ink) return;
    this.ink = Object.assign(document.createElement("div"), { className: `${this.area.className} value-field__ink` });
    this.ink.setAttribute("aria-hidden", "true");
    this.spoken = Object.assign(document.createElement("span"), { className: "visually-hidden" });
    this.spoken.setAttribute("role", "status");
    this.prepend(this.ink);
    this.append(this.spoken);
    this.list = new ValueList(this, (item) => this.put(item));
    this.area.setAttribute("aria-autocomplete", "list");
    this.area.setAttribute("aria-haspopup", "listbox");
    const step = this.closest("[data-preview]");
    if (step) this.preview = new ValuePreview(this, step.dataset.preview, step.dataset.run ?? "");
    this.classList.add("value-field--on");
    this.area.addEventListener("input", () => this.typed());
    this.area.addEventListener("scroll", () => this.scrolled());
    this.area.addEventListener("keydown", (e) => this.key(e));
    this.area.addEventListener("click", () => this.list.hide());
    this.area.addEventListener("focus", () => this.preview?.soon(0));
    this.area.addEventListener("blur", () => this.list.hide());
    this.sized = new ResizeObserver(() => this.fit());
    this.sized.observe(this.area);
    this.draw();
  }

  disconnectedCallback() {
    this.sized?.disconnect();
    this.preview?.stop();
  }

  get kind() {
    return this.getAttribute("kind");
  }

  get setting() {
    return this.getAttribute("setting") ?? "";
  }

  // What the step knows: written into its panel by the server.
  get variables() {
    const all = this.closest("[data-values]")?.querySelector("script.variables")?.textContent;
    return (this.known ??= all ? JSON.parse(all) : []);
  }

  // --- drawing

  draw() {
    const text = this.area.value;
    const pieces = [];
    let at = 0;
    for (const part of this.kind === "template" ? holes(text) : words(text)) {
      pieces.push(text.slice(at, part.start), this.kind === "template" ? this.chip(text, part) : this.word(text, part));
      at = part.end;
    }
    this.ink.replaceChildren(...pieces, text.slice(at), "\u200b");
    this.fit();
  }

  chip(text, hole) {
    const chip = Object.assign(document.createElement("span"), { className: "value-chip" });
    const lead = /^\s*/.exec(hole.inner)[0]
    const start = part("value-chip__brace", `{{${lead}`);
    if (hole.path) start.append(shape(this.typeOf(hole.path)));
    else start.append(shape(""));
    const tail = hole.inner.slice(lead.length);
    const name = tail.trimEnd();
    chip.append(start, name, part("value-chip__brace", `${tail.slice(name.length)}}}`));
    if (this.fault && this.fault.start === hole.start) chip.classList.add("value-chip--fault");
    return chip;
  }

  word(text, found) {
    const root = /^\w+/.exec(found.path)?.[0];
    const known = root && (root === "input" || this.variables.some((v) => v.name === root));
    return part(found.string ? "value-word value-word--text" : known ? "value-word value-word--known" : "value-word", text.slice(found.start, found.end));
  }

  typeOf(path) {
    return this.variables.find((v) => v.name === path)?.type ?? "any";
  }

  // The scroll bar of the text takes room from its letters: the drawn ones keep the same lines.
  fit() {
    this.ink.style.width = `${this.area.clientWidth + 2}px`;
    this.ink.style.height = `${this.area.clientHeight + 2}px`;
    this.scrolled();
  }

  scrolled() {
    this.ink.scrollTop = this.area.scrollTop;
  }

  faulty(place) {
    this.fault = place;
    this.draw();
  }

  // --- typing

  typed() {
    this.fault = null;
    this.draw();
    this.offer();
    this.preview?.soon();
  }

  offer(forced = false) {
    const { selectionStart: at, selectionEnd: to, value } = this.area;
    this.wanted = at === to && document.activeElement === this.area ? asked(value, at, this.kind, forced) : null;
    if (!this.wanted) return this.list.hide();
    this.list.show(offers(this.wanted.part, this.variables), this.place(at));
  }

  // Where on the page a letter stands, from the drawn letters.
  place(at) {
    const walk = document.createTreeWalker(this.ink, NodeFilter.SHOW_TEXT);
    let left = at;
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      if (left <= node.length) {
        const range = document.createRange();
        range.setStart(node, left);
        range.collapse(true);
        return range.getBoundingClientRect();
      }
      left -= node.length;
    }
    return this.area.getBoundingClientRect();
  }

  put(item) {
    const { start, hole } = this.wanted;
    const after = this.area.value.slice(this.area.selectionEnd);
    let [head, tail] = item.insert.split("|");
    let back = tail.length;
    if (hole >= 0) {
      const open = !/^[^{]*?\}\}/.test(after);
      if (this.area.value.slice(hole + 2, start) === "") head = ` ${head}`;
      if (open) tail += " }}";
      back = back ? tail.length : 0; // a function is still to be filled in, a value is done
    }
    this.list.hide();
    this.write(start + item.from, this.area.selectionEnd, head + tail);
    const at = this.area.selectionEnd - back;
    this.area.setSelectionRange(at, at);
    this.list.hide();
    this.draw();
  }

  // As if typed: the browser's own undo takes it back.
  write(start, end, text) {
    this.area.focus();
    this.area.setSelectionRange(start, end);
    const done = document.execCommand(text ? "insertText" : "delete", false, text);
    if (done) return;
    this.area.setRangeText(text, start, end, "end");
    this.area.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // A value from outside: the list of the panel, or a click on what came in.
  insert(name) {
    const { selectionStart: start, selectionEnd: end, value } = this.area;
    const within = this.kind === "template" && asked(value, start, "template") !== null;
    this.write(start, end, this.kind === "expression" || within ? name : `{{ ${name} }}`);
    this.list.hide();
  }

  key(e) {
    if (this.list.open && this.list.key(e)) return;
    if (e.key === " " && e.ctrlKey) {
      e.preventDefault();
      return this.offer(true);
    }
    if (this.kind === "template" && !e.shiftKey && !e.ctrlKey && !e.metaKey && !e.altKey) this.overChip(e);
  }

  // A chip is one thing: an arrow goes past it, Backspace and Delete take it away whole.
  overChip(e) {
    const { selectionStart: at, selectionEnd: to, value } = this.area;
    if (at !== to) return;
    const [before, after] = leftwards(value, at) ? ["ArrowRight", "ArrowLeft"] : ["ArrowLeft", "ArrowRight"];
    const back = e.key === before || e.key === "Backspace";
    if (!back && e.key !== after && e.key !== "Delete") return;
    const chip = holes(value).find((hole) => hole.path && (back ? hole.end : hole.start) === at);
    if (!chip) return;
    e.preventDefault();
    if (e.key.startsWith("Arrow")) this.area.setSelectionRange(back ? chip.start : chip.end, back ? chip.start : chip.end);
    else this.write(chip.start, chip.end, "");
    this.spoken.textContent = e.key.startsWith("Arrow") ? t`value ${chip.path}` : t`value ${chip.path} removed`;
  }
}

// Whether the paragraph around a letter runs from right to left: its first letter says so, as the style sheet has it.
function leftwards(text, at) {
  const line = text.slice(text.lastIndexOf("\n", at - 1) + 1).split("\n", 1)[0];
  const first = /\p{L}/u.exec(line)?.[0];
  return first ? /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/.test(first) : rtl;
}

function part(name, text) {
  return Object.assign(document.createElement("span"), { className: name, textContent: text });
}

customElements.define("value-field", ValueField);
