// <theme-switch>: light, dark or as the system. Kept in a cookie, so that the server draws the first frame right.
function set(choice) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${choice}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  if (choice === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
  for (const button of document.querySelectorAll("theme-switch [data-theme-choice]")) {
    button.setAttribute("aria-checked", String(button.dataset.themeChoice === choice));
  }
  document.dispatchEvent(new CustomEvent("theme:changed", { detail: choice }));
}

class ThemeSwitch extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => {
      const button = event.target.closest("[data-theme-choice]");
      if (button) set(button.dataset.themeChoice);
    });
  }
}
// the profile form's own choice counts on this device at once, too
document.addEventListener("change", (event) => {
  if (event.target.matches?.('select[name="theme"], input[name="theme"]')) set(event.target.value === "system" ? "auto" : event.target.value);
});
document.addEventListener("theme", (event) => set(event.detail));
customElements.define("theme-switch", ThemeSwitch);
