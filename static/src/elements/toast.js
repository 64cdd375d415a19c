// <toast-region>: one message at a time, ten seconds, Undo with Z. Asked for by the event "toast" with
// {text, kind, undo}: the server sends it (HX-Trigger) or leaves it in the page (<template data-flash>).
import { say, send } from "./htmx.js";
import { register } from "./keys.js";
import { t } from "../words.js";

const SHOWN_FOR = 10_000;

class ToastRegion extends HTMLElement {
  connectedCallback() {
    this.box = this.querySelector(".toast");
    this.undo = this.querySelector(".toast__undo");
    this.queue = [];
    this.asked = (event) => this.ask(event.detail);
    document.addEventListener("toast", this.asked);
    this.querySelector(".toast__close").addEventListener("click", () => this.hide());
    this.undo.addEventListener("click", () => this.takeBack());
    for (const name of ["pointerenter", "focusin"]) this.box.addEventListener(name, () => clearTimeout(this.timer));
    for (const name of ["pointerleave", "focusout"]) this.box.addEventListener(name, () => this.wait(4_000));
    this.takeKey = register("Z", t`Undo`, () => (this.current?.undo && this.shown ? this.takeBack() : false), { group: t`Everywhere` });
    for (const flash of this.querySelectorAll("template[data-flash]")) this.ask({ ...flash.dataset });
  }

  disconnectedCallback() {
    document.removeEventListener("toast", this.asked);
    this.takeKey();
  }

  ask(toast) {
    if (!toast?.text) return;
    this.queue.push(toast);
    // a newer message never waits long behind an older one
    if (!this.shown) this.next();
    else this.wait(1_500);
  }

  next() {
    this.current = this.queue.shift();
    if (!this.current) return;
    this.shown = true;
    this.querySelector(".toast__words").textContent = this.current.text;
    this.undo.hidden = !this.current.undo;
    const word = this.undo.querySelector("[data-verb]");
    if (word) word.textContent = this.current.verb || t`Undo`;
    this.box.dataset.kind = this.current.kind ?? "success";
    this.box.showPopover();
    say(this.current.undo ? t`${this.current.text}. Press Z to undo.` : this.current.text);
    this.wait(SHOWN_FOR);
  }

  wait(ms) {
    clearTimeout(this.timer);
    if (this.shown) this.timer = setTimeout(() => this.hide(), ms);
  }

  hide() {
    clearTimeout(this.timer);
    this.shown = false;
    if (this.box.matches(":popover-open")) this.box.hidePopover();
    this.next();
  }

  async takeBack() {
    const { undo } = this.current;
    this.hide();
    if (typeof undo === "function") return undo(); // asked for by an element of this very page
    const answer = await send(undo).catch(() => null);
    if (answer?.ok) location.reload();
    else this.ask({ text: t`That can’t be undone any more.`, kind: "danger" });
  }
}
customElements.define("toast-region", ToastRegion);
