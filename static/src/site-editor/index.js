// <site-preview>: the draft in a frame, loaded again after each saved change, at the width of a desk or a phone.

class SitePreview extends HTMLElement {
  connectedCallback() {
    this.frame = this.querySelector("iframe");
    this.address = this.frame.src;
    this.reload = () => { this.frame.src = this.address; };
    document.addEventListener("preview:changed", this.reload);
    this.addEventListener("click", (event) => {
      const chosen = event.target.closest("[data-width]");
      if (!chosen) return;
      this.dataset.width = chosen.dataset.width;
      for (const button of this.querySelectorAll("[data-width]")) button.setAttribute("aria-pressed", button === chosen);
    });
  }

  disconnectedCallback() {
    document.removeEventListener("preview:changed", this.reload);
  }
}

customElements.define("site-preview", SitePreview);
