"""The `technograph` command: a group whose sub-commands are loaded when they are called."""

from __future__ import annotations

import importlib
import os
import sys

import click

from fingerprints.model import TechnographError

COMMANDS = {
    # name: module, in the order --help shows them
    "crawl": "cli.crawl",
    "demo": "cli.demo",
    "find": "cli.find",
    "show": "cli.show",
    "explain": "cli.show",
    "score": "cli.score",
    "export": "cli.export",
    "stats": "cli.stats",
    "runs": "cli.stats",
    "detect": "cli.detect",
    "rules": "cli.rules",
    "icp": "cli.icp",
}
"""Sub-commands by name. A module holds a click command of that name (`-` written as `_`)."""


class LazyGroup(click.Group):
    """Imports a command's module only when it is called, so that `--help` answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command = getattr(importlib.import_module(module), cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="technograph")
def technograph() -> None:
    """Find out which platforms and tools websites run, and which kinds of tool they lack.

    \b
    Example:
      technograph crawl prospects.csv
      technograph find 'tech:shopify AND lacks:reviews' --format csv > list.csv
    """


def main() -> None:
    """Run the command line: expected trouble is one line on stderr and an exit code, never a traceback."""
    try:
        technograph(prog_name="technograph", standalone_mode=False)
    except click.exceptions.Exit as exc:
        sys.exit(exc.exit_code)
    except click.ClickException as exc:
        exc.show()
        sys.exit(exc.exit_code)
    except (click.Abort, KeyboardInterrupt):
        print("technograph: stopped", file=sys.stderr)  # noqa: T201
        sys.exit(3)
    except TechnographError as exc:
        print(f"technograph: {exc}", file=sys.stderr)  # noqa: T201
        sys.exit(exc.exit_code)
    except BrokenPipeError:
        # The reader (head, less) has gone; nothing is wrong. Python would complain again while
        # flushing at exit, so stdout is pointed elsewhere first.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


if __name__ == "__main__":
    main()
