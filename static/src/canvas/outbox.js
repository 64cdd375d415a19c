// Every edit is the save. Batches wait here until the server has them; they survive a reload and a lost connection.

import { nodeOf } from "./graph.js"
import { plural, t } from "../words.js"

const RETRY = [1, 2, 5, 10, 30] // seconds
const SOMEBODY = t`Somebody`
const LEAVING = 1000 // ms a page that was just left may need to let go of its name

export class Outbox {
  constructor(host) {
    this.host = host
    this.flow = host.dataset.flow
    this.url = host.dataset.url
    this.queue = []
    this.tries = 0
    this.online = () => this.flush()
    window.addEventListener("online", this.online)
  }

  // One name for this tab, held by a lock; what tabs that are gone left behind is taken over. After a reload the page
  // before may still hold the name for a moment. A copy of a tab has the name of one that stays: it takes another.
  async open() {
    const prefix = `agentbase.outbox.${this.flow}.`
    let client = sessionStorage.getItem("agentbase.client") ?? uuid()
    if (!(await this.hold(prefix + client, LEAVING))) {
      this.inherit(prefix + client)
      client = uuid()
      await this.hold(prefix + client)
    }
    sessionStorage.setItem("agentbase.client", client)
    this.client = client
    this.key = prefix + client
    const left = []
    for (const key of Object.keys(localStorage)) {
      if (!key.startsWith(prefix)) continue
      if (key !== this.key && !(await this.free(key))) continue
      left.push(...this.leftUnder(key))
    }
    this.queue = [...left, ...this.queue]
    this.keep()
    return left
  }

  leftUnder(key) {
    const left = JSON.parse(localStorage.getItem(key)) ?? []
    if (key !== this.key) localStorage.removeItem(key)
    return left
  }

  // Whether the name is ours now. `patience`: ms to wait for whoever has it.
  hold(name, patience = 0) {
    if (!navigator.locks) return Promise.resolve(true)
    const how = patience ? { signal: AbortSignal.timeout(patience) } : { ifAvailable: true }
    return new Promise((done) => {
      const held = navigator.locks.request(name, how, (lock) => {
        done(Boolean(lock))
        if (lock) return new Promise((release) => (this.release = release))
      })
      held.catch(() => done(false))
    })
  }

  // Whoever has the name stays longer than a page that goes: what is left when it has gone is sent from here.
  inherit(name) {
    navigator.locks?.request(name, () => {
      const left = this.closed ? [] : this.leftUnder(name)
      for (const batch of left) for (const op of batch.ops) this.host.edit.apply(op)
      this.queue.push(...left)
      if (left.length) this.host.changed()
      this.keep()
      this.flush()
    })
  }

  free(name) {
    if (!navigator.locks) return Promise.resolve(false)
    return navigator.locks.request(name, { ifAvailable: true }, (lock) => Boolean(lock))
  }

  close() {
    window.removeEventListener("online", this.online)
    clearTimeout(this.timer)
    this.release?.()
    this.closed = true
  }

  push(ops, { merge = "", wait = 0 } = {}) {
    const tail = this.queue[this.queue.length - 1]
    if (merge && tail && tail.merge === merge && tail !== this.flying) tail.ops = ops
    else this.queue.push({ batch: uuid(), ops, merge })
    this.keep()
    this.show()
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.flush(), wait)
  }

  keep() {
    if (!this.key) return
    if (this.queue.length) localStorage.setItem(this.key, JSON.stringify(this.queue))
    else localStorage.removeItem(this.key)
  }

  show(state = "") {
    const n = this.queue.length
    const chip = this.host.part("save-state")
    const what = state || (n ? "saving" : "saved")
    if (!chip || (chip.dataset.state === what && what !== "offline")) return
    chip.dataset.state = what
    const words = {
      saved: t`Saved`,
      saving: t`Saving`,
      offline: plural(n, "Offline, {1} change kept here", "Offline, {1} changes kept here"),
      refused: t`Not saved`,
    }
    chip.querySelector(".save-state__word").textContent = words[what]
    if (what === "offline") this.host.say(plural(n, "No connection. {1} change is kept here and sent when you are back.", "No connection. {1} changes are kept here and sent when you are back."))
  }

  // Resolves when everything is sent, or can't be sent now.
  async flush() {
    clearTimeout(this.timer)
    if (this.running) return this.running
    this.running = this.send().finally(() => (this.running = null))
    return this.running
  }

  async send() {
    while (this.queue.length && this.key && !this.closed) {
      const batch = (this.flying = this.queue[0])
      batch.merge = "" // from here on the server may have it: what is typed next is a batch of its own
      this.keep()
      this.show()
      let answer
      try {
        answer = await this.post("/ops", { base: this.host.rev, batch: batch.batch, client: this.client, ops: batch.ops })
      } catch {
        answer = { status: 0 }
      }
      this.flying = null
      if (answer.status === 0 || answer.status >= 500 || answer.status === 429) {
        this.show("offline")
        this.timer = setTimeout(() => this.flush(), RETRY[Math.min(this.tries++, RETRY.length - 1)] * 1000)
        return false
      }
      this.tries = 0
      if (answer.status === 401) {
        this.show("offline")
        this.host.toast(t`You were signed out. Sign in again in another tab: your changes are kept here.`)
        return false
      }
      this.queue.shift()
      this.keep()
      if (answer.status === 409 && answer.body.conflict) await this.conflict(batch, answer.body)
      else if (answer.status >= 400) {
        this.host.toast(sentence(answer.body))
        await this.resync()
      } else await this.took(answer.body)
    }
    this.show()
    return true
  }

  async post(path, body, options = {}) {
    const reply = await fetch(this.url + path, {
      ...options,
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": csrf() },
      body: JSON.stringify(body),
    })
    const json = reply.headers.get("content-type")?.includes("json")
    return { status: reply.status, body: json ? await reply.json() : {} }
  }

  // The server's answer: what others did meanwhile, what it added to our batch, what it left out, fresh renderings.
  async took(answer) {
    const { host } = this
    const dropped = answer.dropped ?? []
    for (const each of dropped) host.toast(each.why)
    if (dropped.length) return this.resync(answer)
    for (const each of answer.over ?? []) this.over(each)
    const pending = this.queue.flatMap((batch) => batch.ops)
    for (const { ops } of answer.since ?? []) for (const op of ops) if (!overridden(op, pending)) host.edit.apply(op)
    for (const op of answer.extra ?? []) host.edit.apply(op)
    host.rev = Math.max(host.rev, answer.rev)
    host.swap(answer.html ?? {}, pending)
    host.answered(answer)
  }

  // Somebody set the same value in the meantime: ours stands, theirs is one press away.
  over({ id, title, by, theirs, back }) {
    const { host } = this
    const step = host.graph.nodes.get(id)?.title ?? t`a step`
    const take = () => {
      host.edit.run([back])
      host.outbox.flush().then(() => host.panel.refresh())
    }
    host.toast(t`${by || SOMEBODY} had set “${title}” of ${step} to ${theirs}. Yours stands now.`, take, t`Take theirs`)
  }

  // Take the server's document, then do again what is still waiting here.
  async resync(answer = null) {
    await this.host.reload()
    for (const batch of this.queue) for (const op of batch.ops) this.host.edit.apply(op)
    if (answer) this.host.answered(answer)
    this.host.changed()
  }

  // Two people wrote the same text: neither is lost. The other one's is in place, ours is offered.
  async conflict(batch, answer) {
    const { conflict } = answer
    const mine = batch.ops.find((op) => op.id === conflict.id && (op.field === conflict.field || op.op === "note.text"))
    const others = batch.ops.filter((op) => op !== mine)
    if (others.length) this.queue.unshift({ ...batch, batch: uuid(), ops: others })
    this.keep()
    await this.resync()
    this.host.settle(conflict, mine)
  }

  async step(which) {
    if (!(await this.flush())) return this.host.toast(t`Undo needs a connection. Your changes are kept here until then.`)
    const answer = await this.post(`/${which}`, { client: this.client }).catch(() => ({ status: 0, body: {} }))
    if (answer.status !== 200) return this.host.toast(sentence(answer.body) || t`No connection. Nothing was undone.`)
    await this.took(answer.body)
    this.host.changed()
    if (answer.body.said) this.host.say(answer.body.said)
  }
}

// A change of ours that waits to be sent beats an older one of somebody else's to the same thing.
function overridden(op, pending) {
  const of = (o) => o.id ?? o.node?.id ?? `${o.from}>${o.to}`
  const gone = pending.some((o) => o.op === "node.delete" && [op.id, op.node?.id, op.from && nodeOf(op.from), op.to && nodeOf(op.to)].includes(o.id))
  return gone || pending.some((o) => o.op === op.op && of(o) === of(op) && o.field === op.field && !op.op.startsWith("edge"))
}

export const uuid = () =>
  crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("")

export const csrf = () => document.querySelector('meta[name="csrf-token"]')?.content ?? ""

// A refusal in words, from problem+json.
export const sentence = (body) => [body?.detail ?? body?.title, body?.remedy].filter(Boolean).join(" ")
