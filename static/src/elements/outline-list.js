// <outline-list>: Up and Down go from step to step. Everything else of the outline is plain links and forms.
class OutlineList extends HTMLElement {
  connectedCallback() {
    this.addEventListener("keydown", (event) => {
      const steps = [...this.querySelectorAll(".outline__name")];
      const at = steps.indexOf(document.activeElement);
      const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: steps.length - 1 }[event.key];
      if (at < 0 || next === undefined || !steps[next]) return;
      event.preventDefault();
      steps[next].focus();
    });
  }
}
customElements.define("outline-list", OutlineList);
