// <copy-button value="…"><button>Copy</button></copy-button>
import { say } from "./htmx.js";
import { t } from "../words.js";

class CopyButton extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", async () => {
      const word = this.querySelector("button span");
      const before = word.textContent;
      try {
        await navigator.clipboard.writeText(this.getAttribute("value"));
        word.textContent = t`Copied`;
        say(t`Copied`);
      } catch {
        word.textContent = t`Press Ctrl C`;
      }
      setTimeout(() => { word.textContent = before; }, 1600);
    });
  }
}
customElements.define("copy-button", CopyButton);
