#!/bin/sh
# Install the packages of an image into a virtual environment, each checked by its hash.
# Usage: install.sh VENV light|models, beside requirements.lock. `models` adds to what `light` brought.
# EXTRA_INDEX_URL: another package index, for instance PyTorch's, for the CPU build of torch.
set -eu
venv=$1
image=$2
here=$(dirname "$0")
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
if [ -n "${EXTRA_INDEX_URL:-}" ]; then
  PIP_EXTRA_INDEX_URL="${PIP_EXTRA_INDEX_URL:-} $EXTRA_INDEX_URL"
  export PIP_EXTRA_INDEX_URL
fi
wanted=$(mktemp)
trap 'rm -f "$wanted"' EXIT
python3 "$here/pick.py" requirements.lock "$here/$image.txt" >"$wanted"
# --no-deps: the lists are complete.
install() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps "$@"; }
if [ "$image" = models ]; then
  # A CPU build of torch first, wherever pip can find one: by itself pip takes the registry's CUDA build.
  torch=$(sed -n 's/^torch==\([0-9.]*\).*/\1/p' requirements.lock)
  cpu=$(mktemp)
  hashes=$(sed -n 's/^\(sha256:[0-9a-f]*\).*/--hash=\1/p' tools/torch-cpu.hashes | tr '\n' ' ')
  echo "torch==$torch+cpu $hashes" >"$cpu"
  install -r "$cpu" 2>/dev/null || echo "no CPU build of torch $torch at hand; taking the registry's" >&2
  rm -f "$cpu"
fi
install -r "$wanted"
if [ "$image" = models ] && ! "$venv/bin/python" -c 'import torch' 2>/dev/null; then
  echo "the torch that was found needs its CUDA libraries; installing them (several GB)" >&2
  install -r requirements-cuda.lock
fi
