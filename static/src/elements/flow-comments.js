// <flow-comments>: the threads of a flow, rendered by the server (templates/studio/comments/_comments.html). This element
// sends its forms, looks again when somebody else wrote, keeps what is half typed, and completes names behind an @.
import { markup } from "../canvas/swap.js";
import { say, send, toast } from "./htmx.js";
import { t } from "../words.js";

const PARTIAL = { Accept: "text/html", "HX-Request": "true", "HX-Request-Type": "partial" };
const SOON = 150;

class FlowComments extends HTMLElement {
  connectedCallback() {
    this.addEventListener("submit", (event) => this.submit(event));
    this.addEventListener("click", (event) => this.click(event));
    this.addEventListener("input", (event) => event.target.matches("[data-words]") && this.complete(event.target));
    this.addEventListener("keydown", (event) => this.key(event));
    this.addEventListener("focusout", () => setTimeout(() => this.contains(document.activeElement) || this.drop(), 0));
    document.addEventListener("live", (this.heard = (event) => this.hear(event.detail)));
  }

  disconnectedCallback() {
    document.removeEventListener("live", this.heard);
    clearTimeout(this.timer);
  }

  hear({ type, data }) {
    if (type !== "resync" && !(type.startsWith("comment.") && data?.flow === this.dataset.flow)) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), SOON);
  }

  async look(url = this.dataset.url) {
    const answer = await fetch(url, { headers: PARTIAL }).catch(() => null);
    if (answer?.ok) this.take(await answer.text());
  }

  click(event) {
    const folded = event.target.closest("summary")?.parentElement;
    // A person opened it: now it is open. (Not "toggle": that also comes when a fresh list opens again what was open.)
    if (folded) setTimeout(() => folded.open && folded.querySelector("textarea")?.focus(), 0);
    const link = event.target.closest("a[data-threads]");
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.look(link.dataset.threads);
  }

  async submit(event) {
    event.preventDefault();
    const form = event.target;
    const button = event.submitter;
    if (button?.getAttribute("aria-busy") === "true") return;
    button?.setAttribute("aria-busy", "true");
    try {
      const answer = await send(form.action, { body: new URLSearchParams(new FormData(form)), headers: PARTIAL });
      const told = JSON.parse(answer.headers.get("HX-Trigger") ?? "{}").toast;
      if (answer.ok) {
        for (const field of form.querySelectorAll("textarea")) field.value = "";
        const kept = form.closest("[data-keep]");
        if (kept) kept.open = false;
        this.take(await answer.text(), form.dataset.draft);
        if (form.dataset.draft) say(t`Sent`);
      }
      if (told) toast({ ...told, undo: told.undo ? () => this.undo(told.undo) : null });
    } catch {
      toast({ text: t`No connection. What you wrote is still here; send it when you are back.`, kind: "danger" });
    }
    button?.removeAttribute("aria-busy");
  }

  async undo(url) {
    const answer = await send(url, { headers: PARTIAL }).catch(() => null);
    if (answer?.ok) this.look();
    else toast({ text: t`That can’t be undone any more.`, kind: "danger" });
  }

  // The list anew. What is open, typed and focused in the old one goes on in the new one; `sent` is a draft that is done.
  take(text, sent = "") {
    const fresh = markup(text);
    if (!fresh?.matches("flow-comments")) return;
    const open = new Set([...this.querySelectorAll("details[data-keep][open]")].map((each) => each.dataset.keep));
    const drafts = new Map();
    for (const form of this.querySelectorAll("form[data-draft]")) {
      const field = form.querySelector("textarea");
      if (form.dataset.draft !== sent && field.value !== field.defaultValue) drafts.set(form.dataset.draft, field.value);
    }
    const at = this.contains(document.activeElement) ? document.activeElement : null;
    const [id, from, to] = [at?.id, at?.selectionStart, at?.selectionEnd];
    const within = at && this.indexOf(at);
    Object.assign(this.dataset, fresh.dataset);
    this.replaceChildren(...fresh.childNodes);
    for (const each of this.querySelectorAll("details[data-keep]")) each.open = open.has(each.dataset.keep);
    for (const [name, words] of drafts) {
      const field = this.querySelector(`form[data-draft="${CSS.escape(name)}"] textarea`);
      if (field) field.value = words;
    }
    if (!at) return;
    // An element without an id has the id "": it is found again by its place.
    const again = (id && this.querySelector(`#${CSS.escape(id)}`)) || this.querySelectorAll("a, button, summary, textarea")[within];
    (again ?? this.querySelector("textarea, a, button"))?.focus();
    if (again?.setSelectionRange && id) again.setSelectionRange(from, to);
  }

  indexOf(element) {
    return [...this.querySelectorAll("a, button, summary, textarea")].indexOf(element);
  }

  key(event) {
    const field = event.target;
    if (!field.matches("[data-words]")) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      return field.form.requestSubmit();
    }
    if (!this.list) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.point(this.at + step);
    else if (event.key === "Enter" || event.key === "Tab") this.choose(this.list.children[this.at]);
    else if (event.key === "Escape") this.drop();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // --- names behind an @

  complete(field) {
    const before = field.value.slice(0, field.selectionStart);
    const typed = /(?:^|[\s(])@([^@\n]{0,40})$/.exec(before)?.[1];
    const letters = typed?.toLowerCase();
    const fits = letters === undefined ? [] : JSON.parse(this.dataset.called).filter((name) => [name, ...name.split(/\s+/)].some((part) => part.toLowerCase().startsWith(letters))).slice(0, 8);
    this.drop();
    if (!fits.length || (fits.length === 1 && fits[0].toLowerCase() === letters)) return;
    this.list = Object.assign(document.createElement("ul"), { className: "comment-people", id: "comment-people", role: "listbox", ariaLabel: t`People` });
    fits.forEach((name, i) => {
      const line = Object.assign(document.createElement("li"), { id: `comment-people-${i}`, role: "option", textContent: name });
      line.addEventListener("pointerdown", (event) => (event.preventDefault(), this.choose(line)));
      this.list.append(line);
    });
    this.field = field;
    this.typed = typed;
    field.parentElement.append(this.list);
    field.setAttribute("aria-controls", "comment-people");
    this.point(0);
  }

  point(at) {
    const lines = [...this.list.children];
    this.at = (at + lines.length) % lines.length;
    lines.forEach((line, i) => line.setAttribute("aria-selected", String(i === this.at)));
    lines[this.at].scrollIntoView({ block: "nearest" });
    this.field.setAttribute("aria-activedescendant", lines[this.at].id);
  }

  choose(line) {
    const { field, typed } = this;
    const end = field.selectionStart;
    field.setRangeText(`${line.textContent} `, end - typed.length, end, "end");
    this.drop();
  }

  drop() {
    this.list?.remove();
    this.list = null;
    for (const name of ["aria-controls", "aria-activedescendant"]) this.field?.removeAttribute(name);
  }
}
customElements.define("flow-comments", FlowComments);
