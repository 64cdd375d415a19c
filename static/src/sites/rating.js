// The thumbs below an answer: sent without leaving the page. Without this script each is a form that comes back as a page.

import { markup } from "./markup.js";

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const part = form.closest("[data-part=rating]");
  if (!part) return;
  event.preventDefault();
  event.stopPropagation(); // the chat or form around it sends something else
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      headers: { "X-Fragment": "rating" },
    });
    if (!answer.ok) throw new Error(String(answer.status));
    const id = part.id;
    part.outerHTML = markup(await answer.text());
    document.getElementById(id)?.querySelector("[data-part=thanks]")?.focus();
  } catch {
    part.querySelector("[data-part=unheard]").hidden = false;
  }
}, true);
