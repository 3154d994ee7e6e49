"""Every command explains itself: one line of help, an example that parses, and no option without a word."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click
import pytest

from cli.main import COMMANDS, technograph
from fingerprints.lxml_tree import lxml_tree
from tests.cli.running import Runner

HELP_LINE_CHARS = 90


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command and sub-command with its full name."""
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        yield " ".join((*path, name)), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


ALL = list(commands(technograph))
each_command = pytest.mark.parametrize(("name", "command"), ALL, ids=[name for name, _ in ALL])


def examples(command: click.Command) -> list[str]:
    _, _, text = (command.help or "").partition("Example:\n")
    return [line.strip() for line in text.split("\n\n")[0].splitlines() if line.strip()]


def test_version_says_which_page_reader_is_at_work(monkeypatch, capsys):
    pytest.importorskip("fingerprints.native", reason="there was no compiler when this was installed")
    with pytest.raises(SystemExit) as ended:
        technograph(["--version"])
    assert ended.value.code == 0
    assert "page reader: compiled" in capsys.readouterr().out
    monkeypatch.setattr("fingerprints.tree._read", lxml_tree)
    with pytest.raises(SystemExit):
        technograph(["--version"])
    assert "no C compiler" in capsys.readouterr().out


def test_help_of_all_commands_fits_one_line_each():
    assert [name for name, (_, line) in COMMANDS.items() if len(line) > HELP_LINE_CHARS] == []
    assert [name for name, (_, line) in COMMANDS.items() if not line.endswith(".")] == []


@each_command
def test_command_says_in_one_line_what_it_does(name, command):
    first_paragraph = " ".join((command.help or "").split("\n\n")[0].split())
    assert first_paragraph.endswith(".")
    assert len(first_paragraph) <= 2 * HELP_LINE_CHARS


@each_command
def test_command_has_an_example_of_itself(name, command):
    assert any(f"technograph {name} " in f"{example} " for example in examples(command))


@each_command
def test_examples_name_only_what_exists(name, command):
    """Parsed, not run: commands, options and choices are those of today."""
    for example in examples(command):
        for words in shell_commands(example):
            if words[0] == "technograph":
                parse(technograph, words[1:])


def shell_commands(line: str) -> Iterator[list[str]]:
    """The words of each command of a shell line, redirections left out."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&>")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, "|"]:
        if word in ("|", "&&"):
            yield words
            words = []
        elif words[-1:] in ([">"], [">>"]):
            words.pop()
        else:
            words.append(word)


def parse(command: click.Command, words: list[str], parent: click.Context | None = None) -> None:
    """Raises click's own errors for what the command line would refuse; runs nothing."""
    try:
        context = command.make_context(command.name, list(words), parent=parent)
    except click.BadParameter as exc:
        if "does not exist" in exc.message:  # the file of an example
            return
        raise
    if isinstance(command, click.Group):
        name, *rest = [*context._protected_args, *context.args]
        found = command.get_command(context, name)
        assert found is not None, f"no command {name}"
        parse(found, rest, context)


@pytest.mark.parametrize("group", ["icp", "rules", "watch"])
def test_lines_of_sub_commands_are_whole(monkeypatch, capsys, group):
    _, _, lines = Runner(monkeypatch, capsys)(group, "--help").out.partition("Commands:\n")
    assert [line for line in lines.splitlines() if not line.endswith(".") or line.endswith("...")] == []


@each_command
def test_every_option_is_explained(name, command):
    silent = [
        parameter.name
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden and not parameter.help
    ]
    assert silent == []


@each_command
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_is_printed(monkeypatch, capsys, name, command, flag):
    ran = Runner(monkeypatch, capsys)(*name.split(), flag)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"Usage: technograph {name} [OPTIONS]")
    assert "Example:\n" in ran.out


def test_mistyped_command_is_answered_with_the_nearest(monkeypatch, capsys):
    ran = Runner(monkeypatch, capsys)("fidn", "tech:shopify")
    assert ran.code == 2
    assert ran.err.endswith("Error: No such command 'fidn'. Did you mean 'find'?\n")
