// Under a <value-field>: what the text comes to with the values of the last run. The server works it out, stores nothing.
import { shape } from "./value-shape.js";
import { t } from "../words.js";

const AFTER = 300; // ms without a key

export class ValuePreview {
  constructor(field, url, run) {
    this.field = field;
    this.url = url;
    this.run = run;
    this.el = document.createElement("output");
    this.el.className = "value-preview";
    this.el.id = `${field.area.id}-preview`;
    this.el.setAttribute("aria-live", "off"); // read with the field, not after every letter
    this.el.hidden = true;
    field.append(this.el);
    field.area.setAttribute("aria-describedby", [field.area.getAttribute("aria-describedby"), this.el.id].filter(Boolean).join(" "));
  }

  soon(wait = AFTER) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), wait);
  }

  async ask() {
    const { field } = this;
    const text = field.area.value;
    if (!text.trim() || (field.kind === "template" && !text.includes("{{"))) return this.show({ state: "empty" });
    this.asking?.abort();
    const mine = (this.asking = new AbortController());
    const reply = await fetch(this.url, {
      method: "POST",
      signal: mine.signal,
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": document.querySelector('meta[name="csrf-token"]')?.content ?? "" },
      body: JSON.stringify({ text, kind: field.kind, field: field.setting, run: this.run, ...field.asks?.() }),
    }).catch(() => null);
    if (mine !== this.asking || !field.isConnected) return;
    if (!reply?.ok) return;
    const answer = await reply.json().catch(() => null); // another question may have come while it was read
    if (!answer || mine !== this.asking || !field.isConnected) return;
    this.show(answer);
    field.told?.(answer);
  }

  show({ state, text = "", type = "any", error = "", start = 0, end = 0 }) {
    this.el.hidden = state === "empty";
    this.el.dataset.state = state;
    this.field.faulty(state === "error" ? { start, end } : null);
    if (state === "value") {
      const words = document.createElement("span");
      words.className = "value-preview__text";
      words.textContent = text || t`nothing`;
      this.el.replaceChildren(shape(type), words);
    } else this.el.replaceChildren(Object.assign(document.createElement("span"), { textContent: error }));
  }

  stop() {
    clearTimeout(this.timer);
    this.asking?.abort();
  }
}
