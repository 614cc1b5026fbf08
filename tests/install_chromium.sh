#!/bin/sh
# Makes sure that the report's browser test has Debian's Chromium and a font with emoji.
set -eu

if command -v chromium >/dev/null 2>&1 && fc-list 2>/dev/null | grep -qi 'color *emoji'; then
    exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "install_chromium: expected the program 'chromium' and an emoji font, found no such pair." >&2
    echo "As root on Debian: apt-get install chromium fonts-noto-color-emoji" >&2
    exit 2
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -y -q --no-install-recommends chromium fontconfig fonts-noto-color-emoji
