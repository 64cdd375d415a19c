// <copy-button value="…"><button>Copy</button></copy-button>
import { say } from "./htmx.js";

class CopyButton extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", async () => {
      const word = this.querySelector("button span");
      const before = word.textContent;
      try {
        await navigator.clipboard.writeText(this.getAttribute("value"));
        word.textContent = "Copied";
        say("Copied");
      } catch {
        word.textContent = "Press Ctrl C";
      }
      setTimeout(() => { word.textContent = before; }, 1600);
    });
  }
}
customElements.define("copy-button", CopyButton);
