// <show-password> around a password field and its Show button; <pass-strength for="id"> says how strong it is.
import { t } from "../words.js";

class ShowPassword extends HTMLElement {
  connectedCallback() {
    const field = this.querySelector("input");
    const button = this.querySelector("button");
    button.addEventListener("click", () => {
      const shown = field.type === "text";
      field.type = shown ? "password" : "text";
      button.setAttribute("aria-pressed", String(!shown));
      button.querySelector("span").textContent = shown ? t`Show` : t`Hide`;
      field.focus();
    });
  }
}

const WORDS = [t`Too short`, t`Weak`, t`Fair`, t`Good`, t`Strong`];

class PassStrength extends HTMLElement {
  connectedCallback() {
    const field = document.getElementById(this.getAttribute("for"));
    const bar = this.querySelector("progress");
    const word = this.querySelector("span");
    field.addEventListener("input", () => {
      const score = strength(field.value);
      this.hidden = !field.value;
      bar.value = score;
      bar.className = `progress progress--${score >= 3 ? "success" : score === 2 ? "warning" : "danger"}`;
      word.className = `state-${score >= 3 ? "success" : score === 2 ? "warning" : "danger"}`;
      word.textContent = WORDS[score];
    });
  }
}

// Length is what counts; variety and few repeats add a little. A hint, not a gate: the server decides.
function strength(text) {
  if (text.length < 8) return 0;
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^a-zA-Z\d]/].filter((kind) => kind.test(text)).length;
  const distinct = new Set(text).size;
  const points = (text.length >= 10) + (text.length >= 14) + (kinds >= 3 || text.length >= 20) + (distinct >= 8);
  return Math.max(1, points);
}

customElements.define("show-password", ShowPassword);
customElements.define("pass-strength", PassStrength);
