"""The simulated policy under the command line of `vllm serve`, as far as the launchers of a deployment use it."""

import argparse

from generators.engine.simulated.server import main

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("--model", "--max-model-len", "--host", "--port"):
        parser.add_argument(name, required=True)
    parser.add_argument("--enable-prompt-tokens-details", action="store_true")
    given = parser.parse_args()
    main(["--port", given.port, "--model", given.model, "--max-model-len", given.max_model_len])
