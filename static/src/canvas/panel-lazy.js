// <details data-load="address">: what it holds is fetched when it is opened first.

import { markup } from "./swap.js"
import { t } from "../words.js"

export async function lazy(e) {
  const details = e.target
  const url = details.dataset?.load
  if (!url || !details.open || details.dataset.loaded) return
  details.dataset.loaded = "yes"
  const place = details.querySelector("[data-loaded]:not(details)")
  const reply = await fetch(url, { headers: { Accept: "text/html" } }).catch(() => null)
  const fresh = reply?.ok ? markup(await reply.text()) : null
  if (fresh) place.replaceChildren(fresh)
  else {
    place.textContent = t`This could not be read. Close it, then open it again.`
    delete details.dataset.loaded
  }
}
