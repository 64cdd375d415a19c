// htmx 4 as the whole dashboard uses it. Settings are in <meta name="htmx-config"> (templates/layout/_head.html).
//
// hx-csp (docs/adr/0006-htmx-nonce.md): an element may send requests only when it carries this page's nonce, which the
// server writes into every template and which text from models and visitors can't know.
import htmx from "htmx.org/dist/htmx.esm.js";
import "htmx.org/dist/ext/hx-csp.js";
import { t } from "../words.js";

const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

document.addEventListener("htmx:config:request", (event) => {
  event.detail.ctx.request.headers["X-CSRF-Token"] = token();
});

// A request that never reached the server is no answer htmx could swap: say it, and say that nothing is lost.
document.addEventListener("htmx:error", (event) => {
  if (event.detail?.ctx?.response) return;
  toast({ text: t`No connection. Nothing was changed; do it again when you are back.`, kind: "danger" });
});

// What was typed into a field that saves by itself before htmx was here would stand there and never be saved.
addEventListener("load", () => setTimeout(() => {
  for (const form of document.querySelectorAll("form[hx-trigger*=change]")) {
    const typed = [...form.elements].find((field) => "defaultValue" in field && field.type !== "hidden" && field.value !== field.defaultValue);
    typed?.dispatchEvent(new Event("change", { bubbles: true }));
  }
}), { once: true }); // htmx begins in a timeout, too

export function toast(detail) {
  document.dispatchEvent(new CustomEvent("toast", { detail }));
}

/** fetch with the CSRF token, for our own elements. */
export function send(url, { method = "POST", body, headers = {} } = {}) {
  return fetch(url, { method, body, headers: { "X-CSRF-Token": token(), ...headers } });
}

/** Speak a sentence to screen readers without moving focus. */
export function say(text) {
  const live = document.getElementById("live");
  if (!live) return;
  live.textContent = "";
  setTimeout(() => { live.textContent = text; }, 60);
}

export default htmx;
