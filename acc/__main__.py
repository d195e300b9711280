"""`acc` and `python -m acc`: the command line."""

from porcelain.cli import run


def main() -> None:
    """Run the command that the command line asks for, and exit with its code."""
    run()


if __name__ == "__main__":
    main()
