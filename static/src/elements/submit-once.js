// A plain form is sent once: its button turns busy and says what it does (data-busy="Creating your site").
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method === "dialog") return;
  if (form.dataset.sent) return event.preventDefault();
  const button = event.submitter ?? form.querySelector("[type=submit]");
  form.dataset.sent = "yes";
  if (!button) return;
  button.setAttribute("aria-busy", "true");
  const word = button.querySelector(":scope > span");
  if (button.dataset.busy && word) word.textContent = button.dataset.busy;
});
// coming back with the browser's back button must not find the form still "sent"
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
  }
});
