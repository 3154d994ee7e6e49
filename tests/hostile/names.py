"""Names and addresses that a crawl must not, or cannot, connect to."""

from __future__ import annotations

from tests.crawler.sockets import OUTSIDE

REFUSED = {
    "loopback": "127.0.0.1",
    "this-host": "0.0.0.0",
    "private-ten": "10.0.0.1",
    "private-b": "172.16.0.1",
    "private-c": "192.168.1.1",
    "carrier-grade": "100.64.0.1",
    "metadata": "169.254.169.254",
    "benchmark": "198.18.0.1",
    "multicast": "224.0.0.1",
    "broadcast": "255.255.255.255",
    "loopback-six": "::1",
    "link-local-six": "fe80::1",
    "unique-local-six": "fd00:ec2::254",
    "mapped": "::ffff:127.0.0.1",
    "six-to-four": "2002:7f00:1::",
    "nat-sixty-four": "64:ff9b::7f00:1",
}
"""What an address is, and such an address: each is a site's own, and where another site redirects to."""

SPELLINGS = {
    "dotted": "127.0.0.1",
    "short": "127.1",
    "decimal": "2130706433",
    "hexadecimal": "0x7f000001",
    "octal": "0177.0.0.1",
    "six": "[::1]",
    "four-in-six": "[::ffff:127.0.0.1]",
}
"""Of this machine's address, as a list or a redirect may write it."""

REBINDING = {
    "rebinds.com": [[OUTSIDE], ["127.0.0.1"]],
}
"""Names that lead outside at first and inside from then on."""

NOWHERE: dict[str, list[str] | None] = {"without-addresses.com": [], "silent-name-server.com": None}
"""Names that exist and lead nowhere; others do not exist at all."""
