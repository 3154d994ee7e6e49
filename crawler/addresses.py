"""Which addresses a crawl may connect to: public ones only, whatever notation they come in."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

IP = IPv4Address | IPv6Address

_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are the IPv4 address that is reached
_UNICAST = IPv6Network("2000::/3")
"""All that was ever given out. Outside of it Python still calls global what RFC 4291 has withdrawn: site-local
addresses (fec0::/10), and the forms that carry an IPv4 address (::10.0.0.1, ::ffff:0:10.0.0.1)."""
_CLOUD_HOSTS = (
    IPv4Network("192.0.0.0/24"),  # IETF assignments; Oracle's metadata service among them
    IPv4Network("168.63.129.16/32"),  # Azure's WireServer: a public number that the machine's host answers
)


def is_public(address: IP) -> bool:
    """Whether the address belongs to the public internet, also when it wraps an IPv4 address.

    >>> [is_public(ip_address(a)) for a in ("93.184.215.14", "169.254.169.254", "::ffff:10.0.0.1")]
    [True, False, False]
    """
    inner = _wrapped(address)
    if inner is not None:
        return is_public(inner)
    if isinstance(address, IPv6Address):
        return address in _UNICAST and address.is_global
    return address.is_global and not address.is_multicast and not any(address in net for net in _CLOUD_HOSTS)


def _wrapped(address: IP) -> IPv4Address | None:
    """The IPv4 address inside a mapped, 6to4, Teredo or NAT64 address; None for all others."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


def literal_address(host: str) -> IP | None:
    """The address a host name spells out, None when it is a name.

    Browsers and `inet_aton` also read decimal, octal, hexadecimal and shortened forms, so a guard that
    only knows dotted quads could be walked around.

    >>> [str(literal_address(h)) for h in ("127.1", "2130706433", "0x7f000001", "[::1]", "acme.com")]
    ['127.0.0.1', '127.0.0.1', '127.0.0.1', '::1', 'None']
    """
    bare = host.strip("[]")
    try:
        return ip_address(bare.partition("%")[0])
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(bare))
    except (OSError, ValueError):  # ValueError: characters that no host name has
        return None
