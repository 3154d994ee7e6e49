"""The site that an argument names, for every command that takes one."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from crawler.domains import NotADomain, Site, parse_site, registrable_domain
from fingerprints.model import InputError

_READERS = {".har": "detect --har", ".jsonl": "detect --jsonl", ".csv": "crawl", ".txt": "crawl"}
"""What reads a file with this ending; any other is taken for a saved page."""


def site_named(text: str, *, allow_private: bool = False) -> Site:
    """The site a URL, a host or an e-mail address names. Raises InputError for what names none.

    Where it could be both, a public domain is the site and a private name (`saved.html`) the file.
    """
    try:
        site = parse_site(text, allow_private=allow_private)
    except NotADomain as exc:
        raise InputError(f"{text!r}: {_why_a_file(text) or exc}") from exc
    if not registrable_domain(site.host) and (reason := _why_a_file(text)):
        raise InputError(f"{text!r}: {reason}")
    return site


def _why_a_file(text: str) -> str:
    """That the text is a file and what reads it; empty when there is no such file."""
    if not os.path.isfile(text):
        return ""
    unpacked = text.lower().removesuffix(".gz").removesuffix(".xz")
    reader = _READERS.get(Path(unpacked).suffix, "detect --html")
    return f"is a file, not a site; `technograph {reader} {shlex.quote(text)}` reads it"
