"""`python -m fer_mobile` is `fer-mobile`."""

from fer_mobile.cli import main

main()
