"""The command line, as `python -m addon` and as the console script `detour`."""

from addon.commands import detour


def main() -> None:
    """Run the command line and exit."""
    detour(prog_name="detour")


if __name__ == "__main__":
    main()
