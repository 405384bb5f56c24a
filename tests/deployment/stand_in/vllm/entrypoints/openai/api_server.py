"""Stands where vLLM's server would: healthy, and then it never answers, or dies as one without memory does."""

import http.server
import json
import os
import sys
import time

ANSWER = os.environ["STAND_IN_ANSWER"]  # "never" or "out of memory"
OPTIONS = dict(zip(sys.argv[1:], sys.argv[2:], strict=False))


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path in ("/health", "/v1/models") else 404)
        self.end_headers()
        model = {"id": OPTIONS["--served-model-name"], "max_model_len": int(OPTIONS["--max-model-len"])}
        self.wfile.write(json.dumps({"object": "list", "data": [model]}).encode())

    def do_POST(self):
        if ANSWER == "out of memory":
            print(
                "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.", file=sys.stderr, flush=True
            )
            os._exit(1)
        time.sleep(600)

    def log_message(self, *args):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(OPTIONS["--port"])), Server).serve_forever()
