#!/usr/bin/env bash
# All that can be proved of the app without a phone, and without Google's servers:
# the lock, the core (on this machine and as arm64 code), every screen under Robolectric, the APKs.
# PYTHON is one that has fer_mobile installed.
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-python3}

"$python" resolve.py --check
"$python" build.py verify
