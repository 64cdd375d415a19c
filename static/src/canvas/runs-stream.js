// The events of a run as they come: one JSON object a line.

import { csrf, sentence } from "./outbox.js"
import { t } from "../words.js"

// Calls take(event) for each. Gives null when the stream ended, or why nothing began: {words, problems, node}.
export async function stream(url, body, take) {
  const reply = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/x-ndjson, application/problem+json", "X-CSRF-Token": csrf() },
    body: JSON.stringify(body),
  }).catch(() => null)
  if (!reply?.ok || !reply.body) {
    const problem = await reply?.json?.().catch(() => null)
    return { words: sentence(problem) || t`No connection. Nothing was run.`, problems: problem?.problems, node: problem?.node, field: problem?.field }
  }
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ""
  for (;;) {
    const { done, value } = await reader.read().catch(() => ({ done: true }))
    if (done) return null
    rest += value
    const lines = rest.split("\n")
    rest = lines.pop()
    for (const line of lines) if (line) take(JSON.parse(line))
  }
}
