"""Starting again: from the cache while nothing changed, and never with yesterday's rules."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from fingerprints import cache
from fingerprints.detector import Detector
from fingerprints.loading import load_detector
from fingerprints.observe import observe
from fingerprints.strict import RuleError

PAGE = observe("<p>acme-x and acme-y</p>", url="https://www.example.com/")


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a cache of our own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("TECHNOGRAPH_CACHE", str(folder))
    return folder


def write_rules(path: Path, pattern: str = "acme-x") -> Path:
    path.write_text(json.dumps({"Acme": {"cats": [1], "html": pattern}}))
    return path


def names(detector: Detector) -> list[str]:
    return [found.name for found in detector.detect([PAGE])]


def test_second_start_reads_and_compiles_nothing(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = write_rules(tmp_path / "rules.json")
    first = load_detector([rules], ours=False)
    monkeypatch.setattr("fingerprints.ruleset.read_detector", lambda *_: pytest.fail("read again"))
    monkeypatch.setattr("fingerprints.loading.content_hash", lambda *_: pytest.fail("hashed again"))
    again = load_detector([rules], ours=False)
    assert again is not first
    assert again.detect([PAGE]) == first.detect([PAGE])
    assert (again.ruleset, again.problems) == (first.ruleset, first.problems)
    assert dict(again.rules).keys() == first.rules.keys()
    assert again.taxonomy.technologies["acme"] == first.taxonomy.technologies["acme"]


def test_edit_in_place_is_seen_even_with_the_same_size_and_date(kept: Path, tmp_path: Path) -> None:
    rules = write_rules(tmp_path / "rules.json", "acme-x")
    assert names(load_detector([rules], ours=False)) == ["Acme"]
    before = rules.stat()
    write_rules(rules, "acme-z")
    os.utime(rules, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert rules.stat().st_size == before.st_size
    assert names(load_detector([rules], ours=False)) == []


@pytest.mark.parametrize("name", ["b.json", "deeper/technologies/b.json"])
def test_file_that_is_added_or_removed_is_seen(kept: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    write_rules(folder / "a.json", "nothing")
    assert names(load_detector([folder], ours=False)) == []
    added = folder / name
    added.parent.mkdir(parents=True, exist_ok=True)
    added.write_text(json.dumps({"Bolt": {"cats": [1], "html": "acme-y"}}))
    assert names(load_detector([folder], ours=False)) == ["Bolt"]
    added.unlink()
    assert names(load_detector([folder], ours=False)) == []


def test_touched_files_are_hashed_again_but_not_compiled_again(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = write_rules(tmp_path / "rules.json")
    load_detector([rules], ours=False)
    monkeypatch.setattr("fingerprints.ruleset.read_detector", lambda *_: pytest.fail("read again"))
    os.utime(rules, (1, 1))
    assert names(load_detector([rules], ours=False)) == ["Acme"]


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    damaged = {
        "empty": b"",
        "cut": content[: len(content) // 2],
        "garbage": os.urandom(len(content)),
        "another object": pickle.dumps({"not": "a detector"}),
    }
    path.write_bytes(damaged[how])


@pytest.mark.parametrize("how", ["empty", "cut", "garbage", "another object"])
@pytest.mark.parametrize("kind", ["rules-*", "digest-*"])
def test_damaged_cache_is_rebuilt_without_a_word(
    kept: Path, tmp_path: Path, kind: str, how: str, capfd: pytest.CaptureFixture[str]
) -> None:
    rules = write_rules(tmp_path / "rules.json")
    load_detector([rules], ours=False)
    (path,) = kept.glob(kind)
    damage(path, how)
    assert names(load_detector([rules], ours=False)) == ["Acme"]
    assert capfd.readouterr() == ("", "")
    assert isinstance(cache.load(next(kept.glob("digest-*")).read_text()), Detector)


def test_cache_of_another_version_of_the_engine_is_not_opened(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = write_rules(tmp_path / "rules.json")
    load_detector([rules], ours=False)
    monkeypatch.setattr("fingerprints.cache.engine_version", lambda: "hyperscan 99")
    assert names(load_detector([rules], ours=False)) == ["Acme"]
    assert len(list(kept.glob("rules-*"))) == 2


def test_folder_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TECHNOGRAPH_CACHE", str(write_rules(tmp_path / "a-file") / "below"))
    assert names(load_detector([write_rules(tmp_path / "rules.json")], ours=False)) == ["Acme"]


def test_old_files_of_the_cache_go(kept: Path, tmp_path: Path) -> None:
    for number in range(cache.KEPT + 3):
        load_detector([write_rules(tmp_path / "rules.json", f"acme-{number}")], ours=False)
    assert len(list(kept.glob("rules-*"))) == cache.KEPT
    assert len(list(kept.glob("digest-*"))) == cache.KEPT
    assert len(list(kept.iterdir())) == 2 * cache.KEPT


def test_source_without_rules_is_named(kept: Path, tmp_path: Path) -> None:
    with pytest.raises(RuleError, match=r"nowhere: no such file or folder"):
        load_detector([tmp_path / "nowhere"])
    with pytest.raises(RuleError, match=r": holds neither <category>/<slug>\.toml files nor technologies/"):
        load_detector([tmp_path], ours=False)
    with pytest.raises(RuleError, match=r"no rules: --rules-only needs at least one --rules FILE\|DIR"):
        load_detector(ours=False)


def test_start_from_the_cache_imports_no_parser_and_no_http_client(kept: Path) -> None:
    Detector.load()
    code = (
        "import sys; from fingerprints.detector import Detector; Detector.default();"
        "print(sorted({'requests', 'bs4', 'tomllib', 'fingerprints.wappalyzer', 'tldextract'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
