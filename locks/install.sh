#!/usr/bin/env bash
# Installs a lock into a virtual environment: with uv, which takes seconds, and with pip where uv fails. Each file must
# have a hash that the lock knows.
# Usage: locks/install.sh VENV LOCK
set -euo pipefail
venv=$1 lock=$2
pip=("$venv/bin/pip" --disable-pip-version-check)
# Where PyTorch publishes its CPU builds; asked only when the configured indexes have none.
torch_cpu=https://download.pytorch.org/whl/cpu

# uv reads no setting of pip's, so it is told which indexes and folders pip was given.
pip_setting() { "${pip[@]}" config list | sed -n "s/^[^.]*\.$1='\(.*\)'$/\1/p" | tail -n 1; }

# PyTorch's index, unlike PyPI, may have been asked for the builds of one Python alone: their versions end in `+cpu`.
locked_for=3.11
python=$("$venv/bin/python" -c 'import sys; print(*sys.version_info[:2], sep=".")')
verified=$lock unverified=
if [ "$python" != "$locked_for" ] && grep -q '^[^ ]*+' "$lock"; then
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  verified=$scratch/verified.txt unverified=$scratch/unverified.txt
  awk -v verified="$verified" -v unverified="$unverified" \
    '/^[^ ]/ { own = $1 ~ /\+/; if (own) print $1 > unverified } !own { print > verified }' "$lock"
  echo "The lock's hashes are those of Python $locked_for, this is $python; installed unverified: $(tr '\n' ' ' <"$unverified")" >&2
fi

install_with_uv() {
  local uv
  uv=$(command -v uv) || { "${pip[@]}" install --quiet uv && uv=$venv/bin/uv; } || return 1
  local index links more
  index=$(pip_setting index-url) links=$(pip_setting find-links) more=$(pip_setting extra-index-url)
  local with=(env ${index:+UV_DEFAULT_INDEX="$index"} ${links:+UV_FIND_LINKS="${links// /,}"} UV_INDEX="$more $*"
    "$uv" pip install --quiet --compile-bytecode --python "$venv/bin/python" --no-deps --index-strategy unsafe-best-match)
  if [ -n "$unverified" ]; then "${with[@]}" -r "$unverified" || return 1; fi
  "${with[@]}" --require-hashes -r "$verified"
}

install_with_pip() {
  if [ -n "$unverified" ]; then "${pip[@]}" install --quiet --no-deps -r "$unverified" "$@" || return 1; fi
  "${pip[@]}" install --quiet --no-deps --require-hashes -r "$verified" "$@"
}

install_with_uv || install_with_uv "$torch_cpu" ||
  install_with_pip || install_with_pip --extra-index-url "$torch_cpu"
