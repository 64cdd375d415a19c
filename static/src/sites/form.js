// <site-form>: sends the form without leaving the page and shows the result in its place.
// Without this script the same form is a plain post that comes back as a page.

import { markup } from "./markup.js";

class SiteForm extends HTMLElement {
  connectedCallback() {
    this.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send(event.target);
    });
  }

  async send(form) {
    const button = form.querySelector("button");
    const label = button.textContent;
    button.disabled = true;
    button.textContent = "Working on it";
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body: new URLSearchParams(new FormData(form)),
        headers: { "X-Fragment": "form" },
      });
      const html = await answer.text();
      if (!answer.headers.get("content-type")?.startsWith("text/html")) throw new Error(JSON.parse(html).detail);
      this.innerHTML = markup(html);
      (this.querySelector("[data-part=result]") ?? this.querySelector("[aria-invalid]"))?.focus();
    } catch (error) {
      button.disabled = false;
      button.textContent = label;
      const problem = form.querySelector("[role=alert]") ?? form.insertAdjacentElement("afterbegin", document.createElement("p"));
      problem.className = "form__problem field--wide";
      problem.setAttribute("role", "alert");
      problem.textContent = error instanceof TypeError ? "No connection. What you wrote is still here." : error.message;
    }
  }
}

customElements.define("site-form", SiteForm);
