"""The `technograph` command: a group whose sub-commands are loaded when they are called."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from time import monotonic
from typing import Any, NoReturn

import click

from cli.output import BEGAN_S, note
from fingerprints.model import TechnographError
from fingerprints.model.spelling import nearest

COMMANDS = {
    "crawl": ("cli.crawl", "Crawl a domain list and store one record per domain."),
    "demo": ("cli.demo", "Run the whole path on a small web served on this machine."),
    "find": ("cli.find", "List sites by what they run, lack, or leave unknown."),
    "watch": ("cli.watch", "Save a query, and later list only what changed in its answer."),
    "show": ("cli.show", "Everything stored about one domain."),
    "explain": ("cli.show", "Why a technology, a category or a score is what it is."),
    "score": ("cli.score", "Score records against an ideal customer profile."),
    "icp": ("cli.icp", "Check, show and improve ideal customer profiles."),
    "check": ("cli.check", "Crawl and score one inbound lead now, and say where to route it."),
    "enrich": ("cli.enrich", "Add technographic columns to a CRM export."),
    "export": ("cli.export", "Write accounts or technologies to a file."),
    "stats": ("cli.stats", "Usage of technologies and categories over the stored sites."),
    "audit": ("cli.audit", "What is missed without a browser, measured per category."),
    "runs": ("cli.stats", "The crawls in the database."),
    "report": ("cli.crawl_report", "Write a page about one crawl: outcomes, speed, slow sites, warnings."),
    "detect": ("cli.detect", "Detect technologies in pages you already have, or in one URL."),
    "rules": ("cli.rules", "List, explain, check and write fingerprint rules."),
}
"""Sub-commands in the order --help shows them: the module that holds each, and its help line there."""


class ReaderGoneError(Exception):
    """Raised when whoever read our output (head, less) has closed the pipe; nothing is wrong."""


@contextmanager
def _telling_a_gone_reader() -> Iterator[None]:
    """Hides a broken pipe from click, which would make exit code 1 of it."""
    try:
        yield
    except BrokenPipeError as exc:
        raise ReaderGoneError from exc


class LazyGroup(click.Group):
    """Imports a command's module only when it is called, so that `--help` answers at once."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        began_s = monotonic()
        with _telling_a_gone_reader():
            context = super().make_context(*args, **extra)
        context.meta[BEGAN_S] = began_s
        return context

    def invoke(self, ctx: click.Context) -> Any:
        with _telling_a_gone_reader():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            near = nearest(cmd_name, COMMANDS)
            hint = f" Did you mean {near!r}?" if near else ""
            raise click.UsageError(f"No such command {cmd_name!r}.{hint}", ctx)
        module, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _say_version(context: click.Context) -> NoReturn:
    from fingerprints.lxml_tree import LxmlTree
    from fingerprints.tree import tree_of

    is_lxml = isinstance(tree_of(b"<p>", set()), LxmlTree)
    reader = "lxml (no C compiler when it was installed: half as fast)" if is_lxml else "compiled"
    click.echo(f"technograph, version {version('technograph')}\npage reader: {reader}")
    context.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda context, _, wanted: _say_version(context) if wanted else None,
    help="Show the version and the page reader, and exit.",
)
def technograph() -> None:
    """Find out which platforms and tools websites run, and which kinds of tool they lack.

    Data goes to standard output, what you are told to standard error. Exit codes: 0 done, 1 failed,
    2 wrong input, 3 stopped early, 4 nothing to work on.

    \b
    Example:
      technograph crawl prospects.csv
      technograph find 'tech:shopify AND lacks:reviews' --format csv > list.csv
    """


def main() -> None:
    """Run the command line: expected trouble is one line on stderr and an exit code, never a traceback."""
    sys.exit(_exit_code())


def _exit_code() -> int:
    try:
        # click hands over the code of `ctx.exit(code)`, or what a command returned: never anything here.
        code: int | None = technograph(prog_name="technograph", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as exc:
        exc.show()
        return exc.exit_code
    except (click.Abort, KeyboardInterrupt):
        print("technograph: stopped", file=sys.stderr)  # noqa: T201
        return 3
    except TechnographError as exc:
        note(f"technograph: {exc}")
        return exc.exit_code
    except (ReaderGoneError, BrokenPipeError):
        # Python would complain once more while flushing at exit, so stdout is pointed elsewhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code or 0


if __name__ == "__main__":
    main()
