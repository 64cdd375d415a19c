// What others do to this flow while it is open here. The page's one stream tells us (<event-stream>, event "live").
import { t } from "../words.js"

export class Live {
  constructor(host) {
    this.host = host
    this.topic = `flow:${host.dataset.flow}`
    this.heard = (e) => this.hear(e.detail)
  }

  start() {
    document.addEventListener("live", this.heard)
  }

  stop() {
    document.removeEventListener("live", this.heard)
    clearTimeout(this.timer)
  }

  hear({ type, topic, data }) {
    const { host } = this
    if (type === "resync") return this.catchUp()
    if (topic === this.topic && type === "flow.ops" && data.client !== host.outbox.client && data.rev > host.rev) {
      this.by = data.by
      return this.catchUp()
    }
    if (topic === this.topic && type === "flow.pins") return host.runs.pins.load()
    if (topic.startsWith("run:")) host.runs.heard(topic.slice(4), type, data)
  }

  // Soon, and once for many: an answer of our own may bring the same edits. Not while edits wait here to be sent: they were
  // made on what we had. Sent on top of what others did meanwhile, they would replace their text, and the server would see
  // no conflict in it.
  catchUp() {
    clearTimeout(this.timer)
    this.timer = setTimeout(async () => {
      const { host } = this
      if (host.outbox.queue.length) return this.catchUp()
      const reply = await fetch(`${host.dataset.url}/changes?since=${host.rev}`, { headers: { Accept: "application/json" } }).catch(() => null)
      if (!reply?.ok) return
      const answer = await reply.json()
      if (host.outbox.queue.length) return this.catchUp()
      if (answer.rev <= host.rev) return
      answer.since = (answer.since ?? []).filter((batch) => batch.rev > host.rev && batch.client !== host.outbox.client)
      if (answer.resync) await host.outbox.resync()
      else await host.outbox.took(answer)
      host.changed()
      if (this.by && answer.since.length) host.say(t`${this.by} changed this flow`)
      host.panel.refresh()
    }, 120)
  }
}
