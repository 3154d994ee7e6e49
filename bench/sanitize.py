"""The compiled page reader under AddressSanitizer and UndefinedBehaviorSanitizer, on soup and on mangled pages.

    python -m bench.sanitize [CORPUS] [--seconds 60] [--seed 1]

Compiles a copy of the reader with the sanitizers (needs gcc) and feeds it what strangers might write; CORPUS
gives real pages to mangle (bench/README.md). The first finding ends the run with the sanitizer's report and
the input, which is kept beside it.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from bench.corpus import rows

ROOT = Path(__file__).parent.parent
FLAGS = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined")
INPUT = "input.html"

PIECES = (
    *(
        b"<",
        b"</",
        b">",
        b"/",
        b"=",
        b'"',
        b"'",
        b" ",
        b"\n",
        b"\0",
        b"\xff",
        b"\xe2\x80",
        b"\xc2\xa0",
        b"\r\n",
    ),
    *(b"<!--", b"-->", b"--!>", b"<?", b"<!x", b"<script", b"<script>", b"</script>", b"<style>", b"</style"),
    *(
        b"<title>",
        b"</title>",
        b"<noscript>",
        b"</noscript>",
        b"<iframe",
        b"<textarea>",
        b"<plaintext>",
        b"<svg/>",
    ),
    *(
        b"<html lang=x>",
        b"<head>",
        b"</head>",
        b"<body class=a>",
        b"<frameset>",
        b"<p>",
        b"<li>",
        b"<dd>",
        b"<h1>",
    ),
    *(
        b"<table><tr><td>",
        b"</table>",
        b"<button>",
        b"<option>",
        b"<div>" * 50,
        b"</div>" * 40,
        b"<b>" * 2_100,
    ),
    *(
        b"&",
        b"&amp;",
        b"&#",
        b"&#x41;",
        b"&#65",
        b"&nGt;",
        b"&copy=",
        b"&quot;",
        b"&#99999999999;",
        b"&notit;",
    ),
    *(b"<a href=", b"class", b" src=//x", b"GTM-AB12", b"data-gtm="),
    *(b"\\", b"\\/", b"\\u002F", b"\\x2", b"https://", b"//a.b'"),
)
SELECTORS = (
    *(
        "a",
        "*",
        "[class]",
        'a[href^="/"]',
        '[src*="x" i]',
        '[class~="a"]',
        '[lang|="x"]',
        '[id$="b"]',
        '[class=""]',
    ),
    *("div > p", "div a", "html body div p a", "td > a b", "[a][b][c]", 'meta[name="generator" i]'),
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path, nargs="?")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)  # the run with the sanitizers loaded
    arguments = parser.parse_args()
    if arguments.inside:
        feed(arguments.inside, arguments.corpus, arguments.seconds, arguments.seed)
        return
    folder = Path(tempfile.mkdtemp(prefix="technograph-sanitize-"))
    compiled(folder)
    libraries = " ".join(_library(name) for name in ("libasan.so", "libubsan.so"))
    ran = subprocess.run(
        [sys.executable, "-m", "bench.sanitize", *sys.argv[1:], "--inside", str(folder)],
        env={
            **os.environ,
            "LD_PRELOAD": libraries,
            "ASAN_OPTIONS": "detect_leaks=0",  # Python keeps what it needs until it ends
            "PYTHONMALLOC": "malloc",  # so that each object has its own borders
        },
        check=False,
    )
    if ran.returncode:
        sys.exit(f"found something; the input is {folder / INPUT}")
    shutil.rmtree(folder)


def compiled(folder: Path) -> None:
    """The reader, compiled into the folder with the sanitizers."""
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension

    extension = Extension(
        "fingerprints.native",
        [str(ROOT / "fingerprints/native.pyx")],
        extra_compile_args=list(FLAGS),
        extra_link_args=list(FLAGS),
    )
    distribution = Distribution({"ext_modules": cythonize(extension, build_dir=str(folder), quiet=True)})
    command = distribution.get_command_obj("build_ext")
    command.build_lib = command.build_temp = str(folder)
    command.ensure_finalized()
    command.run()


def _library(name: str) -> str:
    ran = subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True)
    return ran.stdout.strip()


def feed(folder: Path, corpus: Path | None, seconds: float, seed: int) -> None:
    """Read input after input until the time is up."""
    native = _loaded(folder)
    from fingerprints.flat_tree import FlatTree

    chance = random.Random(seed)
    pages = (
        [row["html"].encode()[:60_000] for row in rows(corpus, "pages") if row.get("html")] if corpus else []
    )
    ends = time.monotonic() + seconds
    count = 0
    for body in inputs(chance, pages[seed % 7 :: 7]):
        (folder / INPUT).write_bytes(body)
        use(native, FlatTree(body), body, chance)
        count += 1
        if time.monotonic() > ends:
            break
    print(f"{count:,} inputs in {seconds:.0f} s, seed {seed}, {len(pages)} pages: no finding")


def _loaded(folder: Path) -> ModuleType:
    """The sanitized module in place of the installed one."""
    import importlib.util

    (path,) = (folder / "fingerprints").glob("native.*.so")
    specification = importlib.util.spec_from_file_location("fingerprints.native", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["fingerprints.native"] = module
    specification.loader.exec_module(module)
    return module


def inputs(chance: random.Random, pages: list[bytes]) -> Iterator[bytes]:
    while True:
        if not pages or chance.random() < 0.6:
            yield b"".join(chance.choices(PIECES, k=chance.randrange(1, 60)))
            continue
        page = bytearray(chance.choice(pages))
        for _ in range(chance.randrange(1, 20)):
            at = chance.randrange(len(page) + 1)
            way = chance.random()
            if way < 0.4:
                page[at:at] = chance.choice(PIECES)
            elif way < 0.7:
                del page[at : at + chance.randrange(1, 200)]
            elif at < len(page):
                page[at] = chance.randrange(256)
        yield bytes(page[: chance.randrange(len(page) + 1)] if chance.random() < 0.3 else page)


def use(native: ModuleType, tree: object, body: bytes, chance: random.Random) -> None:
    """Ask everything that can be asked."""
    from fingerprints.flat_tree import FlatTree

    assert isinstance(tree, FlatTree)
    for element in tree.elements("a", "script", "title", "p", "div", "iframe", "td"):
        _ = (
            element.text,
            element.lead,
            element.content,
            element.items(),
            element.references(),
        )
        _ = element.get("href"), element.get_bytes("class"), hash(element), element == element
    for selector in SELECTORS:
        _ = [element.tag for element in tree.select(selector, 50)]
    tree.shown_text(5_000)
    tree.seen_text(500)
    tree.count_inside("a", "noscript", "div")
    tree.values_with("GTM-")
    tree.having("a", "href")
    tree.leaving("a", "href", "www.example.com")
    tree.get("lang")
    native.is_utf8(body)
    native.unix_lines(body)
    native.lower(body)
    native.find(body, b"<a", chance.randrange(len(body) + 2))
    text = body.decode("utf-8", "replace")
    native.holds(text, "GTM-")
    native.holds(text[:3], "GTM-ABCDE")
    native.urls_in(text, 400)
    native.authority_of(text[:20])
    native.breaks_off_url(text)
    native.plain_slashes(text)
    native.web_reference(text[:20], chance.randrange(30))
    needs = ((b"<a", b"x"), (b"/",))
    native.holds_each(body, needs)
    native.find(body, b"<html", chance.randrange(len(body) + 2))
    native.Lines([text[:50], text, ""]).holding((b"<a", b"x"))


if __name__ == "__main__":
    main()
