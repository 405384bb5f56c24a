#!/usr/bin/env bash
# Makes one round on a SLURM cluster: an array of policy servers, an array with a job for each slice, then the release.
#
# Usage: deploy/slurm/round.sh SETTINGS ROUND [further options of stepmill run, such as --only process_labels]
#
# Every node must see this folder, the Python environment, the settings file and the data root. The settings file has one
# line `urls = [...]` in [policy]: each job replaces it by the addresses that the servers have registered. From the
# environment:
#   POLICIES         how many policy servers (1), each with the GPUs of POLICY_OPTIONS
#   POLICY_OPTIONS   further options of sbatch for them, such as "--partition=gpu --gpus=1"
#   SERVER_ARGS      further arguments of vllm serve, such as "--tensor-parallel-size 2"
#   SLICE_OPTIONS    further options of sbatch for slices and release
#   AT_ONCE          how many slices are made at the same time (4)
#   STEPMILL_PYTHON  the environment's Python (.venv/bin/python beside the code)
set -euo pipefail
settings=$(realpath "$1") round=$2
shift 2
here=$(dirname "$(realpath "$0")")
export STEPMILL_PYTHON=${STEPMILL_PYTHON:-$here/../../.venv/bin/python}
export STEPMILL_RUN=${STEPMILL_RUN:-$PWD/slurm-$round} POLICIES=${POLICIES:-1}
mkdir -p "$STEPMILL_RUN/urls" "$STEPMILL_RUN/logs"
rm -f "$STEPMILL_RUN"/urls/*

read -r model length < <("$STEPMILL_PYTHON" - "$settings" "$STEPMILL_RUN/slices" <<'PYTHON'
import sys
from pathlib import Path
from dagster_project.settings.file import load_settings
settings = load_settings(Path(sys.argv[1]))
Path(sys.argv[2]).write_text("".join(f"{key}\n" for key in settings.slices()))
print(settings.policy.model, settings.policy.max_model_len)
PYTHON
)
last=$(($(wc -l < "$STEPMILL_RUN/slices") - 1))

submit() { sbatch --parsable --export=ALL --output="$STEPMILL_RUN/logs/%x-%a-%j.log" "$@" | cut -d ';' -f 1; }

# shellcheck disable=SC2086  # the options are words
policy=$(submit --job-name=policy --array="0-$((POLICIES - 1))" ${POLICY_OPTIONS:-} "$here/policy.sbatch" \
  --model "$model" --max-model-len "$length" ${SERVER_ARGS:-})
# shellcheck disable=SC2086
slices=$(submit --job-name=slice --array="0-$last%${AT_ONCE:-4}" --dependency="after:$policy" ${SLICE_OPTIONS:-} \
  "$here/slice.sbatch" "$settings" "$round" "$@")
# shellcheck disable=SC2086
release=$(submit --job-name=release --dependency="afterany:$slices" ${SLICE_OPTIONS:-} \
  "$here/release.sbatch" "$policy" "$settings" "$round" "$@")
echo "policy $policy, slices $slices, release $release; logs in $STEPMILL_RUN/logs"
