#!/usr/bin/env bash
# Proves that `make demo` works on bare Debian systems, as a user without any rights.
#
#   tests/prove_debian.sh [SUITE ...]      default: bookworm trixie
#
# Each suite is bootstrapped into a folder of its own (root needed; Debian's package
# debootstrap) with nothing beside the minimal base but make, python3 and python3-venv.
# The committed state of this checkout is cloned into it.  One JSON row a suite goes to
# benchmarks/results/prove_debian.jsonl.  Mirror, certificates and pip's settings are
# those of this machine.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
rows=$root/benchmarks/results/prove_debian.jsonl
suites=("$@")
(($#)) || suites=(bookworm trixie)
limit_seconds=60
limit_mb=500

die() {
    echo "prove_debian: $*" >&2
    exit 1
}

[ "$(id -u)" = 0 ] || die "expected root (debootstrap and chroot need it), found $(id -un)"
command -v debootstrap >/dev/null || {
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq debootstrap >/dev/null
}
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
    grep -v -- -security | head -n 1)
[ -n "$mirror" ] || die "expected a Debian mirror in apt's sources, found none; set one up"

work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT

# What pip here is told through the environment or its files, pip there is told too.
settings=()
while IFS= read -r -d '' entry; do
    case ${entry,,} in
    pip_find_links=*) ;; # folders of this machine
    pip_* | ssl_cert_* | http_proxy=* | https_proxy=*) settings+=("$entry") ;;
    esac
done < <(env -0)

# Run a command of the chroot $1 as its user, with a clean environment and its own /proc.
inside() {
    local system=$1
    shift
    unshare --mount sh -c 'mount -t proc proc "$1/proc" && shift && exec "$@"' sh "$system" \
        chroot --userspec=someone "$system" \
        env -i -C /home/someone/fer-mobile HOME=/home/someone LANG=C.UTF-8 \
        PATH=/usr/bin:/bin "${settings[@]}" "$@"
}

prove() {
    local suite=$1 system=$work/$1 start install demo processor size python TIMEFORMAT="%U %S"
    debootstrap --variant=minbase --include=make,python3,python3-venv \
        "$suite" "$system" "$mirror" >"$work/$suite.log" ||
        die "$suite: debootstrap failed: $(tail -n 3 "$work/$suite.log")"
    cp /etc/resolv.conf /etc/hosts "$system/etc/"
    cp /etc/ssl/certs/ca-certificates.crt "$system/etc/ssl/certs/"
    [ ! -e /etc/pip.conf ] || cp /etc/pip.conf "$system/etc/"
    chroot "$system" useradd --create-home someone
    git clone --quiet --depth 1 "file://$root" "$system/home/someone/fer-mobile"
    chroot "$system" chown -R someone: /home/someone

    python=$(inside "$system" python3 -c 'import platform; print(platform.python_version())')
    start=$(date +%s)
    inside "$system" make demo >"$work/demo.txt" || die "$suite: make demo failed"
    install=$(($(date +%s) - start))
    start=$(date +%s%N)
    { time inside "$system" make demo >"$work/demo.txt"; } 2>"$work/time.txt" ||
        die "$suite: the second make demo failed"
    demo=$((($(date +%s%N) - start) / 1000000))
    processor=$(awk 'END { print int($1 + $2) }' "$work/time.txt") # not the clock: others run, too
    cat "$work/demo.txt"
    size=$(du -sm "$system/home/someone/fer-mobile/.venv" | cut -f 1)

    ((processor < limit_seconds)) ||
        die "$suite: expected under $limit_seconds s of the processor, found $processor s"
    ((size < limit_mb)) || die "$suite: expected under $limit_mb MB installed, found $size MB"
    [ -n "$(find "$system/home/someone/fer-mobile/demo-report" -name '*.html' -size +100k)" ] ||
        die "$suite: expected an HTML report above 100 kB in demo-report, found none"

    mkdir -p "$(dirname "$rows")"
    printf '{"schema": "fer-mobile/proof", "schema_version": 1, "proof": "make demo on bare Debian", "date": "%s", "suite": "%s", "python": "%s", "commit": "%s", "first_run_s": %d, "demo_ms": %d, "venv_mb": %d}\n' \
        "$(date -u +%F)" "$suite" "$python" "$(git -C "$root" rev-parse --short HEAD)" \
        "$install" "$demo" "$size" | tee -a "$rows"
}

for suite in "${suites[@]}"; do prove "$suite"; done
