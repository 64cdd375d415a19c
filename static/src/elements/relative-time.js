// <relative-time><time datetime="…">2 minutes ago</time></relative-time>: keeps the words true while the page is open.
import { language, t } from "../words.js";

const FORMAT = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const living = new Set();

class RelativeTime extends HTMLElement {
  connectedCallback() { living.add(this); }
  disconnectedCallback() { living.delete(this); }

  update() {
    const time = this.querySelector("time");
    if (!time) return;
    const seconds = (Date.parse(time.dateTime) - Date.now()) / 1000;
    const size = Math.abs(seconds);
    if (size < 45) time.textContent = seconds <= 0 ? t`just now` : t`now`;
    else if (size < 3600) time.textContent = FORMAT.format(Math.round(seconds / 60) || -1, "minute");
    else if (size < 86_400) time.textContent = FORMAT.format(Math.round(seconds / 3600), "hour");
  }
}
customElements.define("relative-time", RelativeTime);
setInterval(() => living.forEach((element) => element.update()), 30_000);
