// Where a run's time, money or tokens went: each card is warmer the more of it was its own. Off, time, cost, tokens.
import { t } from "../words.js"

const NONE = { time: t`No step of this run has used any time.`, cost: t`No step of this run has used any cost.`, tokens: t`No step of this run has used any tokens.` }
const BY = { time: t`Steps are coloured by time`, cost: t`Steps are coloured by cost`, tokens: t`Steps are coloured by tokens` }
const NEXT = { "": "time", time: "cost", cost: "tokens", tokens: "" }
const LEVELS = 5

export class Heat {
  constructor(runs) {
    this.runs = runs
    this.mode = ""
  }

  next() {
    this.mode = NEXT[this.mode]
    const { host } = this.runs
    this.runs.dressAll()
    const most = this.most
    if (this.mode && !most) host.toast(NONE[this.mode])
    else host.say(BY[this.mode] ?? t`Steps are not coloured any more`)
  }

  of(step) {
    if (!step) return 0
    return (this.mode === "time" ? step.ms : this.mode === "cost" ? step.micros : step.tokens) ?? 0
  }

  get most() {
    return Math.max(0, ...[...this.runs.steps.values()].map((step) => this.of(step)))
  }

  // The words that go with the colour: colour alone says nothing to some.
  words(step) {
    const share = this.mode && this.sum ? Math.round((100 * this.of(step)) / this.sum) : 0
    if (this.mode === "tokens" && step.tokens) return t`${step.tokens} tokens, ${share} %`
    return share ? t`${share} %` : ""
  }

  measure() {
    this.top = this.most
    this.sum = [...this.runs.steps.values()].reduce((all, step) => all + this.of(step), 0)
  }

  dress(node, step) {
    const value = this.mode ? this.of(step) : 0
    if (!value || !this.top) delete node.el.dataset.heat
    else node.el.dataset.heat = String(Math.max(1, Math.ceil((LEVELS * value) / this.top)))
  }
}
