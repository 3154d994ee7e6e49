"""A file given where a command wants a site: the message says so, and what reads such a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.sites import site_named
from fingerprints.model import InputError
from tests.cli.running import Runner
from tests.icp.world import DTC_REVIEWS
from tests.store.records import filled, site


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Runner:
    """The command line in a folder with a database and a saved page."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TECHNOGRAPH_DB", "t.db")
    filled("t.db", [site("acme.com", "shopify")]).close()
    Path("saved.html").write_text("<title>Acme</title>")
    return Runner(monkeypatch, capsys)


@pytest.mark.parametrize(
    "command",
    [
        ("detect", "saved.html"),
        ("detect", "saved.html", "--allow-private"),
        ("check", "saved.html", "--icp", DTC_REVIEWS),
        ("show", "saved.html"),
        ("explain", "saved.html", "reviews"),
    ],
    ids=["detect", "detect with private names", "check", "show", "explain"],
)
def test_saved_page_given_as_a_site_is_pointed_to_its_option(run: Runner, command: tuple[str, ...]) -> None:
    ran = run(*command)
    message = "'saved.html': is a file, not a site; `technograph detect --html saved.html` reads it"
    assert (ran.code, ran.out, ran.err) == (2, "", f"technograph: {message}\n")


@pytest.mark.parametrize(
    ("file", "reader"),
    [
        ("my pages/Saved Page.htm", "detect --html 'my pages/Saved Page.htm'"),
        ("saved", "detect --html saved"),
        ("visit.har", "detect --har visit.har"),
        ("pages.jsonl", "detect --jsonl pages.jsonl"),
        ("pages.jsonl.xz", "detect --jsonl pages.jsonl.xz"),
        ("prospects.CSV", "crawl prospects.CSV"),
        ("prospects.txt", "crawl prospects.txt"),
    ],
)
def test_file_is_pointed_to_what_reads_its_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, reader: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(file).parent.mkdir(exist_ok=True)
    Path(file).touch()
    with pytest.raises(InputError) as caught:
        site_named(file)
    assert str(caught.value) == f"{file!r}: is a file, not a site; `technograph {reader}` reads it"


def test_domain_stays_a_site_whatever_files_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("acme.com").touch()
    Path("acme.test").mkdir()
    assert site_named("acme.com").domain == "acme.com"
    assert site_named("acme.test", allow_private=True).domain == "acme.test"


@pytest.mark.parametrize("text", ["acme\0.html", "a/" * 2_000, "acme.notatld"])
def test_name_of_no_file_keeps_its_reason(text: str) -> None:
    with pytest.raises(InputError, match=r"^'[^']*': (?!is a file)"):
        site_named(text)
