// On a narrow screen a row of tabs is wider than the page: the one that is open is scrolled into view.
for (const row of document.querySelectorAll(".tabs, .pills")) {
  const open = row.querySelector(':scope > [aria-current]:not([aria-current="false"])');
  if (!open || row.scrollWidth <= row.clientWidth) continue;
  row.scrollLeft += open.getBoundingClientRect().left - row.getBoundingClientRect().left - (row.clientWidth - open.offsetWidth) / 2;
}
