"""A target in the words of the screens: where it is, and which key it gets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from statsig_tui.core.config import EMULATOR, Target, is_statsig
from statsig_tui.core.records import SentDetail
from statsig_tui.core.redact import mask_secret
from statsig_tui.core.request import Shape
from statsig_tui.tui.widgets.preview_pane import Prepared
from statsig_tui.tui.widgets.target_bar import Goal

if TYPE_CHECKING:
    from statsig_tui.core.restoring import Restored
    from statsig_tui.engine.engine import Engine


def prepared(target: Target, engine: Engine, body: bytes, shape: Shape, *, has_now: bool) -> Prepared:
    """The request that a draft would make to a target now; raises UsageError where there is none."""
    from statsig_tui.engine.outcome import asked_of, left_out_of
    from statsig_tui.engine.sender import head_of
    from statsig_tui.engine.target import request_for

    request = request_for(target, body, shape=shape)
    head = tuple((name, engine.redact.header(name, value)) for name, value in head_of(request))
    return Prepared(request, head, asked_of(request), left_out_of(request), has_now)


def restored(detail: SentDetail, engine: Engine) -> Restored:
    """What a request that was sent asked for beside its body, of its own target or of any."""
    from statsig_tui.core import restoring
    from statsig_tui.engine.outcome import PROGRAM
    from statsig_tui.engine.target import request_for

    record = detail.record
    known = [target for target in engine.targets() if target.name == record.target]
    target = known[0] if known else Target(record.target, record.url)
    usual = request_for(target, b"")
    masked = replace(usual, url=engine.redact(usual.url), headers=engine.redact.pairs(usual.headers))
    return restoring.restored(detail, masked, PROGRAM)


def describe(target: Target, engine: Engine) -> Goal:
    """Where a target really leads; only our own emulator and loopback are safe."""
    # Imported here: the network's parts come after the first paint.
    from statsig_tui.engine.connecting import is_local
    from statsig_tui.engine.target import endpoint

    url = engine.redact(endpoint(target))
    parts = urlsplit(target.url)
    is_safe = target.name == EMULATOR or is_local(target.url)
    place = "local" if is_safe else "PRODUCTION" if is_statsig(target.url) else "REMOTE"
    if target.name == EMULATOR and engine.addresses.emulator is None:
        is_safe, place = True, "not listening"
    key = target.key
    if key is None:
        long = short = "no key"
    elif key.value:
        long = short = f"key {mask_secret(key.value)}"
    else:
        long, short = f"key not set: {key.source}", "key not set"
    return Goal(
        name=target.name,
        url=url,
        base=engine.redact(target.url.rstrip("/")),
        host=parts.netloc,
        key=long,
        key_short=short,
        has_key=key is not None and bool(key.value),
        place=place,
        is_safe=is_safe,
    )
