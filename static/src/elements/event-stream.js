// The one live stream of a page: <event-stream topics="workspace run:…"> (one stands in the layout; more add topics).
//
// What comes is told to the page in two ways:
// Words of the stream itself: hello, resync (you missed too much), bye (come back).
//   · document gets the event "live" with detail {type, topic, data, id}
//   · every element with data-refresh-on="run.* flow.published" that matches gets "refresh" (htmx: hx-trigger="refresh")
// After a gap (tab was away, server could not replay) every data-refresh-on element is refreshed once.
import { read } from "./sse.js";

const HIDDEN_FOR = 30_000;
const topics = new Map();
let stream = null;
let lastId = "";
let away = 0;

class EventStream extends HTMLElement {
  connectedCallback() {
    this.names = (this.getAttribute("topics") ?? "").split(/[\s,]+/).filter(Boolean);
    for (const name of this.names) topics.set(name, (topics.get(name) ?? 0) + 1);
    restart();
  }

  disconnectedCallback() {
    for (const name of this.names) {
      const left = topics.get(name) - 1;
      if (left) topics.set(name, left);
      else topics.delete(name);
    }
    restart();
  }
}

let planned = false;
function restart() {
  if (planned) return;
  planned = true;
  queueMicrotask(() => {
    planned = false;
    stream?.abort();
    stream = null;
    if (topics.size && !document.hidden) listen();
  });
}

async function listen() {
  const mine = (stream = new AbortController());
  let wait = 500;
  while (!mine.signal.aborted) {
    try {
      const headers = lastId ? { "Last-Event-ID": lastId } : {};
      const names = encodeURIComponent([...topics.keys()].join(","));
      const answer = await fetch(`/events?topics=${names}`, { headers, signal: mine.signal, cache: "no-store" });
      if (answer.status === 204 || answer.status === 401 || answer.status === 403) return;
      if (!answer.ok) throw new Error(String(answer.status));
      wait = 500;
      for await (const event of read(answer.body)) {
        lastId = event.id || lastId;
        if (event.data || event.type !== "message") tell(event);
      }
    } catch {
      if (mine.signal.aborted) return;
    }
    await new Promise((done) => setTimeout(done, wait * (0.5 + Math.random())));
    wait = Math.min(wait * 2, 30_000);
  }
}

function tell(event) {
  let data = event.data;
  try { data = JSON.parse(event.data); } catch { /* plain text stays text */ }
  const type = data?.type ?? event.type;
  const detail = { id: event.id, type, topic: data?.topic ?? "", data: data?.data ?? data };
  document.dispatchEvent(new CustomEvent("live", { detail }));
  refresh(type === "resync" ? () => true : (pattern) => fits(pattern, type));
}

function fits(pattern, type) {
  return pattern === type || (pattern.endsWith("*") && type.startsWith(pattern.slice(0, -1)));
}

const due = new Set();
function refresh(wanted) {
  for (const element of document.querySelectorAll("[data-refresh-on]")) {
    if (element.dataset.refreshOn.split(/\s+/).some(wanted)) due.add(element);
  }
  if (due.size) setTimeout(flush, 250);
}

function flush() {
  for (const element of due) if (element.isConnected) element.dispatchEvent(new CustomEvent("refresh"));
  due.clear();
}

// A hidden tab gives its connection back (six for each host with HTTP/1.1) and asks for what it missed on return.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    away = setTimeout(() => { stream?.abort(); stream = null; }, HIDDEN_FOR);
  } else {
    clearTimeout(away);
    if (!stream && topics.size) restart();
  }
});

customElements.define("event-stream", EventStream);
