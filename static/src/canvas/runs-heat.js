// Where a run's time, money or tokens went: each card is warmer the more of it was its own. Off, time, cost, tokens.

const MODES = { "": "", time: "time", cost: "cost", tokens: "tokens" }
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
    if (this.mode && !most) host.toast(`No step of this run has used any ${MODES[this.mode]}.`)
    else host.say(this.mode ? `Steps are coloured by ${MODES[this.mode]}` : "Steps are not coloured any more")
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
    if (this.mode === "tokens" && step.tokens) return `${step.tokens} tokens, ${share} %`
    return share ? `${share} %` : ""
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
