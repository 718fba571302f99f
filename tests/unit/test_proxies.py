"""Which proxy of the environment is said to be used: the one that httpx uses."""

from __future__ import annotations

import ssl

import httpx
import pytest

from statsig_tui.engine.connecting import proxy_of

PROXY = "http://user:CanaryProxy0123@proxy.test:3128"
URLS = (
    "http://hooks.example.test/in",
    "https://hooks.example.test/in",
    "https://example.test:8443/",
    "http://wwwexample.test/",
    "http://10.1.2.3/",
    "http://[2001:db8::1]/",
)
CASES: list[dict[str, str]] = [
    {},
    {"HTTP_PROXY": PROXY},
    {"https_proxy": PROXY},
    {"ALL_PROXY": "proxy.test:3128"},
    *(
        {"ALL_PROXY": PROXY, "NO_PROXY": no}
        for no in ("*", "example.test", ".example.test", "hooks.example.test, 10.1.2.3", "example.test:8443",
                   "2001:db8::1", "https://hooks.example.test", "10.1.0.0/16", "EXAMPLE.test", "localhost")
    ),
]  # fmt: skip


@pytest.mark.parametrize("environ", CASES, ids=lambda environ: environ.get("NO_PROXY", ",".join(environ)))
async def test_it_is_the_one_that_is_used_and_its_credentials_are_not_told(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    async with httpx.AsyncClient(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as client:
        for url in URLS:
            is_used = client._transport_for_url(httpx.URL(url)) is not client._transport
            assert proxy_of(url) == ("http://proxy.test:3128" if is_used else None), url


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "https://localhost/", "http://[::1]/"])
def test_this_machine_is_reached_by_none(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("ALL_PROXY", PROXY)
    assert proxy_of(url) is None
