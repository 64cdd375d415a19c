// Server-sent events out of an answer to fetch: unlike EventSource it can post, send headers and be stopped for good.

/** {type, data, id} of each event; type is "message" where the server says none, data is text. */
export async function* read(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += value.replaceAll("\r\n", "\n");
    const parts = rest.split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const event = { type: "message", data: "", id: "" };
      for (const line of part.split("\n")) {
        if (line.startsWith("event:")) event.type = line.slice(6).trim();
        else if (line.startsWith("data:")) event.data += (event.data ? "\n" : "") + line.slice(5).replace(/^ /, "");
        else if (line.startsWith("id:")) event.id = line.slice(3).trim();
      }
      if (event.data || event.id || event.type !== "message") yield event;
    }
  }
}
