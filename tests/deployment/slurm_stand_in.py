"""A stand-in for SLURM on this machine: jobs, arrays and dependencies as processes, without nodes or a queue.

`python slurm_stand_in.py sbatch|scancel ARGUMENTS` does what those programs do; a job's state is a folder below $SLURM.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

JOBS = Path(os.environ.get("SLURM", "."))


def sbatch(arguments):
    """Start a job in the background and print its number."""
    options, words = {}, list(arguments)
    while words[0].startswith("--"):
        name, _, value = words.pop(0).partition("=")
        options[name] = value
    number = next(number for number in range(1, 1000) if not (JOBS / str(number)).exists())
    (JOBS / str(number)).mkdir(parents=True)
    job = json.dumps({"number": number, "options": options, "words": words})
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([sys.executable, __file__, "job", job], start_new_session=True, **quiet)
    (JOBS / str(number) / "pid").write_text(str(process.pid))
    print(number)


def job(number, options, words):
    """Wait for what the job depends on, run its tasks at once, and write their exit codes."""
    kind, _, other = options.get("--dependency", "").partition(":")
    while kind and not (JOBS / other / {"after": "started", "afterany": "codes"}[kind]).exists():
        time.sleep(0.2)
    first, last = re.match(r"(\d+)-(\d+)", options.get("--array", "0-0")).groups()
    tasks = [_task(number, task, options, words) for task in range(int(first), int(last) + 1)]
    (JOBS / str(number) / "tasks").write_text(" ".join(str(task.pid) for task in tasks))
    (JOBS / str(number) / "started").touch()
    (JOBS / str(number) / "codes.new").write_text(json.dumps([task.wait() for task in tasks]))
    (JOBS / str(number) / "codes.new").rename(JOBS / str(number) / "codes")


def _task(number, task, options, words):
    own = {"SLURM_JOB_ID": f"{number}{task:03}", "SLURM_ARRAY_TASK_ID": str(task), "SLURMD_NODENAME": "127.0.0.1"}
    log = options["--output"].replace("%x", options["--job-name"]).replace("%a", str(task))
    with Path(log.replace("%j", own["SLURM_JOB_ID"])).open("ab") as sink:
        return subprocess.Popen(["bash", *words], env=os.environ | own, stdout=sink, stderr=sink)


def scancel(number):
    """Ask the tasks of a job to end."""
    for pid in (JOBS / number / "tasks").read_text().split():
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGTERM)


if __name__ == "__main__":
    program, *given = sys.argv[1:]
    if program == "job":
        job(**json.loads(given[0]))
    elif program == "sbatch":
        sbatch(given)
    else:
        scancel(*given)
