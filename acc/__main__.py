"""`acc` and `python -m acc`: the command line."""

import sys

from porcelain.cli import main as run


def main() -> None:
    """Run the command that the command line asks for, and exit with its code."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
