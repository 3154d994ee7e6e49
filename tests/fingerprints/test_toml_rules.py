"""Rule files: what is refused and in which words, what the lints say, and what a file looks like."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from fingerprints.canonical import canonical
from fingerprints.lint import check
from fingerprints.ruleset import build_detector
from fingerprints.strict import RuleError
from fingerprints.toml_rules import load_categories, load_rule_file

GOOD = """\
name = "Acme Chat"
website = "https://acme.io"
description = "A chat."
source = ["vendor help"]
checked = 2026-11-22

[[signal]]
on = "url"
pattern = '//js\\.acme\\.io/(\\d+)\\.js'
strength = "certain"
account = 1

[[example]]
expect = "present"
script_src = "https://js.acme.io/123.js"
account = "123"

[[example]]
expect = "none"
html = '<a href="https://acme.io">Acme</a>'
"""


def write(tmp_path: Path, text: str, name: str = "acme-chat", category: str = "live_chat") -> Path:
    path = tmp_path / category / f"{name}.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def findings(tmp_path: Path, *texts: str) -> list[str]:
    files = [load_rule_file(write(tmp_path, text, f"acme-{n}")) for n, text in enumerate(texts)]
    found = check(files, build_detector([f.rule for f in files]), today=datetime.date(2026, 12, 1))
    return [f"{finding.code}: {finding.message}" for finding in found]


def test_good_file_has_no_findings(tmp_path: Path) -> None:
    assert findings(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("strength =", "strenght =", "signal 1: key 'strength' is missing; did you mean it by 'strenght'?"),
        (
            "account = 1",
            "account = 1\nfoo = 2",
            "signal 1: unknown key 'foo'; allowed: account, kind, on, party, pattern, strength, version",
        ),
        ('on = "url"', 'on = "urls"', "signal 1: on: 'urls' is not one of "),
        ('"certain"', '"sure"', "signal 1: strength: 'sure' is not one of certain, medium, strong, weak"),
        ("account = 1", "account = 2", "signal 1: account = 2, but the pattern has 1 capture groups"),
        (
            "//js",
            "(?<!x)//js",
            "signal 1: pattern: look-around and back-references are not allowed; RE2 has neither",
        ),
        ("//js", "((//js", "signal 1: pattern: "),
        ('website = "https://acme.io"\n', "", "key 'website' is missing"),
        ("2026-11-22", '"today"', "checked: 'today' is a str, expected date"),
        ('name = "Acme Chat"', "name = [", "not valid TOML: "),
        (
            'name = "Acme Chat"',
            'name = "Acme Chat"\nimplys = ["x"]',
            "unknown key 'implys'; did you mean 'implies'?; allowed: ",
        ),
        (
            'on = "url"',
            'on = "url"\nkind = ["scripts"]',
            "signal 1: kind: 'scripts' is not one of script, iframe, ",
        ),
    ],
)
def test_broken_file_is_refused_with_path_and_remedy(
    old: str, new: str, message: str, tmp_path: Path
) -> None:
    path = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(RuleError) as caught:
        load_rule_file(path)
    assert str(caught.value).startswith(f"{path}: {message}")


HEAD = """\
name = "Acme Chat"
website = "https://acme.io"
description = "A chat."
checked = 2026-11-22
"""


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        (
            HEAD + '[[signal]]\non = "host"\nhosts = ["acme.io"]\nstrenght = "strong"\n',
            [
                "signal 1: key 'host' is missing: a list of host names; did you mean it by 'hosts'?",
                "signal 1: key 'strength' is missing; did you mean it by 'strenght'?",
            ],
        ),
        (
            HEAD + '[[signal]]\non = "host"\nstrength = "strong"\nkinds = ["script"]\n',
            [
                "signal 1: key 'host' is missing: a list of host names",
                "signal 1: unknown key 'kinds'; did you mean 'kind'?; allowed: host, kind, on, party, strength",
            ],
        ),
        (
            HEAD + "[[signal]]\npattern = 'acme'\nstrenght = \"strong\"\n",
            [
                "signal 1: key 'on' is missing",
                (
                    "signal 1: unknown key 'strenght'; did you mean 'strength'?; allowed: account, attribute, "
                    "host, kind, name, on, party, pattern, selector, strength, text, type, version"
                ),
            ],
        ),
        (
            HEAD.replace("website", "web_site")
            + '[[signal]]\non = "html"\npatern = \'acme\'\nstrength = "sure"\n'
            + '[[signal]]\non = "dns"\nstrength = "weak"\n',
            [
                "signal 1: strength: 'sure' is not one of certain, medium, strong, weak",
                "signal 1: key 'pattern' is missing; did you mean it by 'patern'?",
                "signal 2: key 'type' is missing",
                "signal 2: key 'pattern' is missing",
                "key 'website' is missing; did you mean it by 'web_site'?",
            ],
        ),
        (
            HEAD + 'signal = ["acme"]\nimplies = [1, {slug = "x", confidence = 2}]\nexample = "none"\n',
            [
                "signal 1: 'acme' is a str, expected a table",
                "implies: 1 is neither a slug nor a table",
                "implies: confidence 2.0 is not in 0..1",
                "example: 'none' is a str, expected list",
            ],
        ),
    ],
    ids=["both misspelt", "one missing, one misspelt", "kind of signal missing", "all over", "no tables"],
)
def test_all_mistakes_are_reported_at_once_a_line_each(
    text: str, mistakes: list[str], tmp_path: Path
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(RuleError) as caught:
        load_rule_file(path)
    assert str(caught.value).splitlines() == [f"{path}: {mistake}" for mistake in mistakes]


def test_host_must_be_a_bare_host_name(tmp_path: Path) -> None:
    text = GOOD.replace(
        "on = \"url\"\npattern = '//js\\.acme\\.io/(\\d+)\\.js'", 'on = "host"\nhost = ["https://js.acme.io"]'
    ).replace("\naccount = 1\n", "\n")
    with pytest.raises(
        RuleError, match=r"'https://js\.acme\.io' is not a lower-case host name without scheme and path"
    ):
        load_rule_file(write(tmp_path, text))


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("/123.js", "/abc.js", "example: expected present, got not reported"),
        ('account = "123"', 'account = "9"', "example: expected account '9', got ['123']"),
        (
            'expect = "none"\nhtml = \'<a href="https://acme.io">Acme</a>\'',
            'expect = "present"\nscript_src = "https://js.acme.io/9.js"',
            'near-miss: has no example with expect = "none": a link, an article, a similar name',
        ),
        ("js\\.acme\\.io/(\\d+)\\.js", "js.acme.io/(\\d+)", "dot: 'e.io' has an unescaped dot; write \\."),
        (
            "(\\d+)",
            "(\\d+)(x)?",
            "groups: capture group 2 is not used; write (?:...) or name it in version or account",
        ),
        (
            "//js\\.acme\\.io/(\\d+)\\.js",
            "(\\d+)\\.js",
            "literal: needs a run of 4 letters that must occur; '(\\\\d+)\\\\.js' would match too much",
        ),
        ("/(\\d+)", "/.*(\\d+)", "unbounded: unbounded `.*` crosses anything; bound it, as [^\"'<>]{0,80}"),
        (
            '"certain"',
            '"weak"',
            "reach: all signals together give 0.30, so it can never be present; find a stronger signal",
        ),
        (
            'source = ["vendor help"]\n',
            "",
            "source: say in `source` where the vendor documents this or how it was seen",
        ),
        (
            "checked = 2026-11-22",
            'checked = 2026-11-22\nimplies = ["nothing"]',
            "unknown-slug: implies: no technology 'nothing'",
        ),
        (
            "checked = 2026-11-22",
            'checked = 2026-11-22\nimplies = ["acme-0"]',
            "circle: implies itself through other technologies",
        ),
        ("checked = 2026-11-22", "checked = 2025-01-01", "stale: last checked on 2025-01-01"),
        (
            "checked = 2026-11-22",
            'checked = 2026-11-22\ncpe = "cpe:/a:acme:chat"',
            "cpe: 'cpe:/a:acme:chat' is no CPE 2.3 name; its form is cpe:2.3:a:vendor:product:*:*:*:*:*:*:*:*",
        ),
    ],
)
def test_lint_says_what_is_wrong_and_what_to_do(old: str, new: str, finding: str, tmp_path: Path) -> None:
    assert old in GOOD
    assert finding in findings(tmp_path, GOOD.replace(old, new))


def test_malformed_example_is_a_finding_a_mistake(tmp_path: Path) -> None:
    missing, unknown = findings(tmp_path, GOOD.replace('expect = "none"\nhtml', 'expects = "none"\nhmtl'))
    assert missing == "example: example 2: key 'expect' is missing; did you mean it by 'expects'?"
    assert unknown.startswith(
        "example: example 2: unknown key 'hmtl'; did you mean 'html'?; allowed: account, "
    )


def test_unproven_signal_is_named(tmp_path: Path) -> None:
    extra = GOOD + '\n[[signal]]\non = "cookie"\nname = "acme_id"\nstrength = "strong"\n'
    assert findings(tmp_path, extra) == ["unproven: no example fires it; add one with what it needs"]


def test_host_that_adds_nothing_is_named(tmp_path: Path) -> None:
    extra = GOOD + '\n[[signal]]\non = "host"\nhost = ["acme.chat", "cdn.acme.chat"]\nstrength = "strong"\n'
    example = '\n[[example]]\nexpect = "present"\nscript_src = "https://cdn.acme.chat/w.js"\n'
    assert findings(tmp_path, extra + example) == [
        "shadowed: host 'cdn.acme.chat' adds nothing to 'acme.chat' (acme-0#2); take it out"
    ]


def test_signal_written_twice_is_named(tmp_path: Path) -> None:
    signal = GOOD[GOOD.index("[[signal]]") : GOOD.index("[[example]]")]
    assert findings(tmp_path, GOOD + "\n" + signal) == ["repeated: the same as signal 1; take one out"]


def test_two_files_may_not_claim_one_host_or_one_pattern(tmp_path: Path) -> None:
    found = findings(tmp_path, GOOD, GOOD)
    assert [f for f in found if f.startswith("duplicate")] == [
        "duplicate: url '//js\\\\.acme\\\\.io/(\\\\d+)\\\\.js' is also a signal of acme-1",
        "duplicate: url '//js\\\\.acme\\\\.io/(\\\\d+)\\\\.js' is also a signal of acme-0",
    ]


def test_canonical_form_orders_keys_and_keeps_comments_and_values() -> None:
    untidy = (
        '# about Acme\nwebsite = "x"   \nname="A"\n\n\n[[example]]\nhtml = """\n\n  <p>\n"""\nexpect = "none"\n'
        "[[signal]] # why\n# the loader\npattern = 'a'\non = \"url\"\n"
    )
    result = canonical(untidy)
    assert canonical(result) == result
    assert result.startswith('name = "A"\n# about Acme\nwebsite = "x"\n\n')
    assert '[[example]]\nexpect = "none"\nhtml = """\n\n  <p>\n"""\n' in result
    assert "[[signal]] # why\non = \"url\"\n# the loader\npattern = 'a'\n" in result


def test_categories_are_complete() -> None:
    categories = load_categories()
    assert len(categories) == 77
    assert sum(category.primary for category in categories.values()) == 60
