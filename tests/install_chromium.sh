#!/bin/sh
# Makes sure that the report's browser test has Debian's Chromium, a font with emoji, and
# libatomic, which Playwright's own Node program links and a minimal Debian lacks.
set -eu

if command -v chromium >/dev/null 2>&1 &&
    fc-list 2>/dev/null | grep -qi 'color *emoji' &&
    /sbin/ldconfig -p | grep -q libatomic.so.1; then
    exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "install_chromium: expected the program 'chromium', an emoji font and libatomic," \
        "found not all of them." >&2
    echo "As root on Debian: apt-get install chromium fontconfig fonts-noto-color-emoji libatomic1" >&2
    exit 2
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -y -q --no-install-recommends chromium fontconfig \
    fonts-noto-color-emoji libatomic1
