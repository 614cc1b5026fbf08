"""What `fer-mobile` and `python -m fer_mobile` run."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; Ctrl-C while it is still imported ends it as at any other time."""
    try:
        from fer_mobile.cli import main

        main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
