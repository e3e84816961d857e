#!/bin/sh
# Install the packages of the lab, as .ci/locks pins them, into a new environment:
#   .hosting/install.sh FOLDER
# PYTHON       the Python to use; python3
# TORCH_INDEX  address of a package index with CPU builds of torch; without it torch comes
#              from the usual index, on Linux with Nvidia's libraries (5.5 GB)
set -eu
[ $# -eq 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
folder=$1
cd "$(dirname "$0")/.."

"${PYTHON:-python3}" -c 'import sys; sys.exit(sys.version_info < (3, 11) and "install: Python 3.11 or newer is needed")'
[ -x "$folder/bin/python" ] || "${PYTHON:-python3}" -m venv "$folder"

pip() { "$folder/bin/python" -m pip --disable-pip-version-check "$@"; }
install() { pip install --quiet --no-cache-dir --no-deps --require-hashes "$@"; }

install -r .ci/locks/requirements.lock
if [ -n "${TORCH_INDEX:-}" ]; then
  # The lock has the hash of one CPU build; others are taken by their version.
  install --index-url "$TORCH_INDEX" -r .ci/locks/torch.lock ||
    pip install --quiet --no-cache-dir --no-deps --index-url "$TORCH_INDEX" \
      "$(grep '^torch==' requirements.txt)"
else
  install -r .ci/locks/torch.lock
fi
if pip check | grep -q '^torch .* requires'; then
  install -r .ci/locks/cuda.lock
fi
pip check >/dev/null || { pip check; exit 1; }
"$folder/bin/python" -m compileall -q app engine pages || true # a read-only checkout has none
