// <button data-post="/flows/…/unarchiving">: one deed without a form. The answer says where to go next: {"to": path}.
import { send, toast } from "./htmx.js";
import { t } from "../words.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("button[data-post]");
  if (!button || button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    const answer = await send(button.dataset.post, { headers: { Accept: "application/json" } });
    const said = await answer.json();
    if (answer.ok) return location.assign(said.to ?? location.href);
    toast({ text: [said.title ?? said.detail, said.remedy].filter(Boolean).join(" "), kind: "danger" });
  } catch {
    toast({ text: t`No connection. Nothing was changed; do it again when you are back.`, kind: "danger" });
  }
  button.removeAttribute("aria-busy");
});
