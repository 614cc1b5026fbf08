#!/usr/bin/env bash
# What has to be made anew when a shipped model, the preprocessing or a screen has changed: the
# golden vectors, and the pictures of the screens that look different now (look at them).
# PYTHON is one that has fer_mobile installed.
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-python3}

(cd ../.. && "$python" -m tools.golden_vectors)
RECORD=true "$python" build.py test
