// "If it fails": what the form of tries, pauses and ways out says, as one operation; null while it can't be read.
export function policyOf(box, id) {
  const read = (name) => box.querySelector(`[name="${name}"]`)
  const op = { op: "node.policy", id, retry: { tries: Number(read("tries").value) || 1, delay: Number(read("delay").value) || 0 } }
  op.on_error = read("on_error").value
  const seconds = read("timeout").value
  op.timeout = seconds === "" ? null : Number(seconds)
  if (op.timeout !== null && !(op.timeout > 0)) return null
  if (op.on_error === "default") {
    try {
      op.default = JSON.parse(read("default").value || "{}")
    } catch {
      return null
    }
  }
  read("default").closest(".field").hidden = op.on_error !== "default"
  const keep = read("keep")
  if (keep) op.keep = keep.value === "" ? null : Number(keep.value)
  const disabled = read("disabled")
  if (disabled) op.disabled = !disabled.checked
  return op
}
