"""A real SDK, in a process of its own, pointed at the emulator (statsig-wire.md §3.3, §5)."""

from __future__ import annotations

import asyncio
import gzip
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from statsig_tui.core.config import Config, EmulatorConfig
from statsig_tui.core.event import EventClass
from statsig_tui.core.records import CaptureRecord, EventRecord, RequestRecord

if TYPE_CHECKING:
    from tests.conftest import Site, StartEngine

DATA = Path(__file__).parents[1] / "data"
KEY = "secret-localTESTkey1234567890abcdefABCDEF"
PROGRAM = """
import sys
from statsig import StatsigEnvironmentTier, StatsigEvent, StatsigOptions, StatsigUser, statsig

statsig.initialize(sys.argv[2], StatsigOptions(api=sys.argv[1] + "/v1", tier=StatsigEnvironmentTier.staging))
ids = {"stableID": "s1"}
user = StatsigUser("u1", email="a@example.com", custom_ids=ids, private_attributes={"ssn": "1"})
statsig.check_gate(user, "a_gate")
statsig.get_config(user, "a_config")
statsig.get_experiment(user, "checkout_copy")
statsig.manually_log_layer_parameter_exposure(user, "a_layer", "color")
statsig.log_event(StatsigEvent(user, "purchase", value=19.99, metadata={"n": 5}))
statsig.log_event(StatsigEvent(user, "opened"))
statsig.flush()
statsig.shutdown()
"""


@pytest.fixture
async def site(engine: StartEngine, config: Callable[..., Config]) -> AsyncIterator[Site]:
    """An engine whose emulator knows one experiment."""
    knowing = EmulatorConfig(port=0, known_experiments=("checkout_copy",))
    async with engine(replace(config(), emulator=knowing)) as started:
        yield started


async def test_the_sdk_from_the_index_is_understood(site: Site) -> None:
    sdk = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, site.emulator, KEY),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert await sdk.wait() == 0
    records = await site.journal.wait(EventRecord, lambda event: event.name == "opened")
    assert records
    got = {event.name: event.event_class for event in site.journal.of(EventRecord)}
    assert got["statsig::gate_exposure"] is EventClass.GATE_EXPOSURE
    assert got["statsig::config_exposure"] is EventClass.CONFIG_EXPOSURE
    assert got["statsig::experiment_exposure"] is EventClass.EXPERIMENT_EXPOSURE
    assert got["statsig::layer_exposure"] is EventClass.LAYER_EXPOSURE
    assert got["statsig::diagnostics"] is EventClass.INTERNAL
    assert got["purchase"] is EventClass.CUSTOM
    events = await delivered(site, "opened")
    assert "statsig::diagnostics" not in events
    assert events["purchase"]["value"] == "19.99"
    assert events["purchase"]["metadata"] == {"n": 5}
    assert events["opened"]["value"] == ""
    assert events["purchase"]["userID"] == "u1"
    assert events["purchase"]["user"]["statsigEnvironment"] == {"tier": "staging"}
    assert "privateAttributes" not in events["purchase"]["user"]
    assert events["statsig::gate_exposure"]["unitID"] == "userID"
    assert events["purchase"]["statsigMetadata"]["sdkType"] == "py-server"
    assert "serverSessionID" in events["purchase"]["statsigMetadata"]


async def test_the_key_in_an_sdks_polls_is_never_kept(site: Site) -> None:
    answer = await site.client.get(f"{site.emulator}/v1/download_config_specs/{KEY}.json")
    assert answer.json() == {"has_updates": False}
    (request,) = await site.journal.wait(RequestRecord)
    assert request.path == "/v1/download_config_specs/secret-…CDEF.json"
    assert request.fault is None


async def test_recorded_bytes_of_the_sdk_become_the_same_events(site: Site) -> None:
    wire = (DATA / "statsig-python-0.72-log_event.gz").read_bytes()
    sent = json.loads(gzip.decompress(wire))["events"]
    answer = await site.client.post(
        f"{site.emulator}/v1/log_event",
        content=wire,
        headers={"STATSIG-API-KEY": KEY, "Content-Encoding": "gzip", "Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json()) == (202, {"success": True})
    records = await site.journal.wait(EventRecord, count=len(sent))
    assert [record.name for record in records] == [event["eventName"] for event in sent]
    events = await delivered(site, "no_value_event")
    assert events["purchase"]["metadata"] == {"n": 5, "nested": {"x": [1, 2]}}
    assert events["statsig::gate_exposure"]["timestamp"] == sent[1]["time"]


async def delivered(site: Site, last: str) -> dict[str, dict[str, Any]]:
    """Events by name, from the bodies that the receiver got, once the last one is among them."""
    await site.journal.wait(
        CaptureRecord, lambda capture: any(event.event_name == last for event in capture.events)
    )
    found: dict[str, dict[str, Any]] = {}
    for capture in site.journal.of(CaptureRecord):
        detail = site.engine.archive.capture(capture.id)
        assert detail is not None
        found |= {event["eventName"]: event for event in json.loads(detail.body)["data"]}
    return found
