#!/usr/bin/env bash
# Make the environment: the lock file's packages, each checked by its hash, then this project.
# Usage: tools/setup.sh [VENV]; PYTHON chooses the interpreter (3.11 or newer).
set -eu
venv=${1:-.venv}
python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "setup: $python is older than Python 3.11; name another: make setup PYTHON=python3.12" >&2
  exit 1
fi
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
pip="$venv/bin/python -m pip --disable-pip-version-check"
# A CPU build of torch first, wherever pip can find one (a local folder, PyTorch's CPU index): pip
# itself would prefer the registry's CUDA build, several GB.
torch=$(sed -n 's/^torch==\([0-9.]*\).*/\1/p' requirements.lock)
hashes=$(sed -n 's/^\(sha256:[0-9a-f]*\).*/--hash=\1/p' tools/torch-cpu.hashes | tr '\n' ' ')
cpu=$(mktemp)
trap 'rm -f "$cpu"' EXIT
echo "torch==$torch+cpu $hashes" >"$cpu"
$pip install --quiet --require-hashes --no-deps -r "$cpu" 2>/dev/null ||
  echo "setup: no CPU build of torch $torch at hand; taking the registry's" >&2
# --no-deps: the lock is complete.
$pip install --quiet --require-hashes --no-deps -r requirements.lock
# Where pip found only a CUDA build of torch, it cannot be loaded without those libraries.
if ! "$venv/bin/python" -c 'import torch' 2>/dev/null; then
  echo "setup: the torch that was found needs its CUDA libraries; installing them (several GB)." >&2
  echo "       For the small CPU build give pip PyTorch's CPU index (see README)." >&2
  $pip install --quiet --require-hashes --no-deps -r requirements-cuda.lock
fi
$pip install --quiet --no-deps --no-build-isolation -e .
