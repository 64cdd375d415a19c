// <input type="checkbox" data-choose-all>: ticks every box of its form, and shows when only some of them are.
const boxes = (all) => [...all.form.querySelectorAll("tbody input[type=checkbox]")];

document.addEventListener("change", ({ target }) => {
  const form = target.closest?.("form.choosable");
  const all = form?.querySelector("[data-choose-all]");
  if (!all) return;
  if (target === all) for (const box of boxes(all)) box.checked = all.checked;
  const ticked = boxes(all).filter((box) => box.checked).length;
  all.checked = ticked > 0 && ticked === boxes(all).length;
  all.indeterminate = ticked > 0 && !all.checked;
});
