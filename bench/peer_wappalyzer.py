"""Run by bench/peers.py with the Python of the environment that holds the `wappalyzer` package.

Reads all pages from standard input, one JSON object a line, goes over them twice and prints for each what
the second time took. The package has no call for a page that is there already; `analyze_from_response` is
what its own static mode calls, and `fast` is the mode that asks the site for nothing more.
"""

from __future__ import annotations

import json
import sys
import time

import requests
import tldextract
from wappalyzer.core.analyzer import analyze_from_response

# By default it would download the list of public suffixes.
tldextract.extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


def response(page):
    made = requests.Response()
    made.status_code = 200
    made.url = page["url"] or "https://www.example.com/"
    made.headers.update(page["headers"])
    made.cookies.update(page["cookies"])
    made.encoding = "utf-8"
    made._content = page["html"].encode("utf-8", "replace")
    return made


def main():
    responses = [response(json.loads(line)) for line in sys.stdin]
    for is_timed in (False, True):
        for given in responses:
            started = time.process_time()
            found = len(analyze_from_response(given, "fast"))
            took = time.process_time() - started
            if is_timed:
                print(json.dumps({"ms": took * 1000, "found": found}))


main()
