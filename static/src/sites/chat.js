// <site-chat>: sends a question, shows the answer as it is written. Without this script the same form works as a plain post.
//
// The server speaks server-sent events in the answer to the POST (and to GET data-action + "/live" when a page is
// reloaded while an answer is being written):
//   question {html}   the visitor's turn and an empty answer, both rendered by the server
//   token {text}      the next piece, shown as plain text
//   done {html}       the whole answer, rendered and sanitised by the server, replaces the pieces
//   failed {message}  what happened and what to do; the question goes back into the field

import { read } from "../elements/sse.js";
import { markup } from "./markup.js";

class SiteChat extends HTMLElement {
  connectedCallback() {
    this.turns = this.querySelector(".turns");
    this.ask = this.querySelector("[data-part=ask]");
    this.field = this.ask.elements.message;
    this.failed = this.querySelector("p[data-part=failed]");
    this.addEventListener("submit", (event) => this.submitted(event));
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.ask.requestSubmit();
      }
    });
    if (this.turns.querySelector("[data-state=working]")) this.listen(`${this.dataset.action}/live`, { method: "GET" }, "");
  }

  submitted(event) {
    const form = event.target;
    const message = form.elements.message?.value.trim();
    if (message === undefined) return; // "start a new conversation" is a plain post
    event.preventDefault();
    if (!message || this.busy) return;
    if (form === this.ask) this.field.value = "";
    this.querySelector("[data-part=suggestions]")?.remove();
    this.listen(this.dataset.action, { method: "POST", body: new URLSearchParams({ message }) }, message);
  }

  async listen(url, request, question) {
    this.setBusy(true);
    this.failed.hidden = true;
    let ended = false;
    try {
      const response = await fetch(url, { ...request, headers: { Accept: "text/event-stream" } });
      if (!response.ok || !response.headers.get("content-type")?.startsWith("text/event-stream")) {
        const problem = await response.json().catch(() => ({}));
        throw new Error(problem.detail || "The answer could not be written. Try again in a moment.");
      }
      for await (const { type, data: text } of read(response.body)) {
        if (!text) continue;
        const data = JSON.parse(text);
        if (type === "question") this.append(data.html);
        else if (type === "token") this.write(data.text);
        else if (type === "done") { ended = true; this.finish(data.html); }
        else if (type === "failed") { ended = true; throw new Error(data.message); }
      }
      if (!ended) throw new Error("The connection broke. Reload the page: what was answered meanwhile is kept.");
    } catch (error) {
      this.showFailure(error instanceof TypeError ? "No connection. Your question is back in the field." : error.message, question);
    } finally {
      this.setBusy(false);
      if (matchMedia("(pointer: fine)").matches) this.field.focus({ preventScroll: true });
    }
  }

  get live() {
    return this.turns.querySelector("[data-state=working]");
  }

  append(html) {
    this.turns.insertAdjacentHTML("beforeend", markup(html));
    this.live?.scrollIntoView({ block: "nearest" });
  }

  write(text) {
    const turn = this.live;
    if (!turn) return;
    turn.querySelector("[data-part=working]")?.remove();
    turn.querySelector("[data-part=live]").append(text);
  }

  finish(html) {
    const turn = this.live;
    if (turn) turn.outerHTML = markup(html);
    else this.append(html);
    this.turns.lastElementChild.scrollIntoView({ block: "nearest" });
  }

  showFailure(message, question) {
    this.live?.remove();
    this.failed.textContent = message;
    this.failed.hidden = false;
    if (question && !this.field.value) this.field.value = question;
  }

  setBusy(busy) {
    this.busy = busy;
    this.turns.setAttribute("aria-busy", busy);
    this.ask.querySelector("button").disabled = busy;
  }
}

customElements.define("site-chat", SiteChat);
