"""Every command: a thin reader of arguments, no decisions."""


def main() -> None:
    """Run `studio`."""
