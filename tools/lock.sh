#!/usr/bin/env bash
# Renew the lock files from pyproject.toml. Needs uv (`pip install uv`). Versions that are locked stay
# where they fit; `tools/lock.sh --upgrade` takes the newest (and passes on any option of uv).
#   requirements.lock       everything, hashed; torch with the hashes of the registry's wheels and
#                           of the CPU builds in tools/torch-cpu.hashes
#   requirements-cuda.lock  the libraries that only a CUDA build of torch needs (see tools/setup.sh)
set -euo pipefail
cd "$(dirname "$0")/.."
all=$(mktemp)
trap 'rm -f "$all"' EXIT
cat requirements.lock requirements-cuda.lock >"$all"
# setuptools builds this project itself, without an isolated (unhashed) environment.
printf 'setuptools>=77\n' |
  uv pip compile pyproject.toml - --extra dev --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet "$@" -o "$all"
python3 - "$all" tools/torch-cpu.hashes <<'PY'
import re
import sys
from pathlib import Path

blocks = re.findall(r"^\S.*(?:\n[ ]+.*)*", Path(sys.argv[1]).read_text(), re.MULTILINE)
cpu_hashes = [line.split()[0] for line in Path(sys.argv[2]).read_text().splitlines() if line[:1] == "s"]
cuda = [b for b in blocks if re.match(r"(nvidia|cuda|triton)[-=]", b)]
rest = [b for b in blocks if b not in cuda]
torch = next(i for i, b in enumerate(rest) if b.startswith("torch=="))
rest[torch] += "".join(f" \\\n    --hash={h}" for h in cpu_hashes if h not in rest[torch])
Path("requirements.lock").write_text("\n".join(rest) + "\n")
Path("requirements-cuda.lock").write_text("\n".join(cuda) + "\n")
PY
