// <button commandfor="id" command="show-modal | close"> where the browser does not know it yet,
// data-closes (closes the dialog around it) and data-opens="palette | keys".
const native = "command" in HTMLButtonElement.prototype;

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button");
  if (!button) {
    // a click on the backdrop of a dialog is a click on the dialog itself
    if (event.target instanceof HTMLDialogElement && !inside(event, event.target)) event.target.close();
    return;
  }
  if (!native && button.hasAttribute("commandfor")) {
    const target = document.getElementById(button.getAttribute("commandfor"));
    if (button.getAttribute("command") === "show-modal") target?.showModal();
    if (button.getAttribute("command") === "close") target?.close();
  }
  if (button.hasAttribute("data-closes")) button.closest("dialog")?.close();
  if (button.dataset.opens) {
    button.closest("[popover]")?.hidePopover();
    document.dispatchEvent(new CustomEvent(`open:${button.dataset.opens}`));
  }
});

function inside(event, element) {
  const box = element.getBoundingClientRect();
  return event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
}
