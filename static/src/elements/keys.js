// The keyboard registry: every key of every page is told here once, so that the `?` sheet can list it.
//
//   register("Mod+K", "Search or do", open, { group: "Everywhere" })    Mod = Ctrl, on a Mac Command
//   register("Shift+Z", "Redo", redo)                                   single letters act only when no field has focus
//
// Returns a function that takes the key away again. WCAG 2.1.4: single letters can be switched off in the sheet.
import { t } from "../words.js";

const keys = new Map();
const MAC = /Mac|iP(hone|ad)/.test(navigator.platform);
const OFF = "agentbase:letters-off";

// What has `icon` is also a line of the palette (Ctrl K), with or without a key: `deed` does it there, `able` says whether now.
export function register(combo, label, act, { group = t`This page`, hidden = false, icon = "", deed = act, able = () => true } = {}) {
  const entry = { combo, label, act, group, hidden, icon, deed, able };
  const name = combo.toLowerCase();
  keys.set(name, [...(keys.get(name) ?? []), entry]);
  return () => keys.set(name, (keys.get(name) ?? []).filter((other) => other !== entry));
}

// Elements of another bundle (the canvas) handle their own keys and only want them on the sheet.
document.addEventListener("keys:tell", ({ detail }) => register(detail.combo, detail.label, () => false, detail));

export function listed() {
  return [...keys.values()].flat().filter((entry) => entry.combo && !entry.hidden);
}

// What the palette can do on this page right now.
export function deeds() {
  return [...keys.values()].flat().filter((entry) => entry.icon && entry.able());
}

const CAPS = { Mod: MAC ? "⌘" : "Ctrl", ArrowRight: "→", ArrowLeft: "←", ArrowUp: "↑", ArrowDown: "↓" };

// What stands on the caps: a plus between two keys joins them, else it is the key itself.
export function words(combo) {
  return combo.split(/(?<=[^+])\+(?=.)/).map((part) => CAPS[part] ?? part);
}

export function letters(on) {
  if (on === undefined) return localStorage.getItem(OFF) !== "1";
  if (on) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, "1");
  return on;
}

export function typing(target) {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input:not([type=checkbox], [type=radio], [type=range]), textarea, select"));
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  const held = [];
  if (event.ctrlKey || event.metaKey) held.push("mod");
  if (event.altKey) held.push("alt");
  const key = event.key === " " ? "space" : event.key.toLowerCase();
  // "?" is Shift+/ on some keyboards and Shift+ß on others: a printed sign already says that Shift was held
  if (event.shiftKey && (/^[a-z]$/.test(key) || key.length > 1)) held.push("shift");
  const single = !held.includes("mod") && !held.includes("alt") && key.length === 1;
  if (single && (typing(event.composedPath()[0]) || !letters())) return;
  if (typing(event.composedPath()[0]) && !held.includes("mod")) return;
  if (document.querySelector("dialog:modal") && !held.includes("mod")) return;
  const entry = (keys.get([...held, key].join("+")) ?? []).at(-1);
  if (!entry) return;
  if (entry.act(event) !== false) event.preventDefault();
});
