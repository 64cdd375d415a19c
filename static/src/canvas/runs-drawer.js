// The drawer of the run, rendered by the server from the run's record; while it runs, at most twice a second.

import { markup } from "./swap.js"

const PAUSE = 600 // ms between two looks at a run that goes on

export class Drawer {
  constructor(runs) {
    this.runs = runs
    this.timer = 0
  }

  // Something happened: look in a while, once for all that happens until then.
  soon() {
    if (this.timer || !this.runs.id || !this.runs.active) return
    this.timer = setTimeout(() => {
      this.timer = 0
      if (this.runs.active) this.load()
    }, PAUSE)
  }

  now() {
    this.forget()
    return this.load()
  }

  forget() {
    clearTimeout(this.timer)
    this.timer = 0
  }

  async load() {
    const { host, id } = this.runs
    const body = host.part("timeline")
    if (!id || !body) return
    const reply = await fetch(`${host.dataset.url}/tries/${id}/timeline`, { headers: { Accept: "text/html" } }).catch(() => null)
    if (reply?.status !== 200) return
    const fresh = markup(await reply.text())
    if (id !== this.runs.id || !fresh) return
    body.replaceChildren(fresh)
    host.part("drawer").hidden = false
  }
}
