"""Addresses that only this machine's own network link has: clouds keep credentials there. Pure."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

LINK_LOCAL = "is a link-local or metadata address"
ALLOWING = "allow it at the destination (allow_link_local), if it is meant"
_NETWORKS = tuple(map(ip_network, ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128")))


def is_link_local(host: str) -> bool:
    """Whether a host is such an address, in any of its spellings; a name never is."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address.sixtofour or address
    return any(address in network for network in _NETWORKS)
