"""A change in Statsig's console as the incoming event that the emulator makes a config change of. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from statsig_tui.core import jsontext

NAME = "statsig::config_change"
TYPES = ("Gate", "Experiment", "DynamicConfig", "Segment", "Layer", "Holdout", "Autotune", "Metric")
ACTIONS = ("created", "updated", "deleted", "archived")
"""What `type` and `action` hold (statsig-wire.md §3.4)."""


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """Who did what to what."""

    type: str = TYPES[0]
    name: str = "new_checkout"
    action: str = "updated"
    description: str = "- Updated Rule:\n    - Pass Percentage: 10 to 50"
    """May be empty: Statsig then leaves it out."""
    environments: str = "development,staging,production"
    """Joined by commas; left out as well where it is empty."""
    actor: str = "Console User"
    email: str = "console@example.com"
    """Sometimes Statsig names only one of the two, or neither."""


def body_of(change: ConfigChange, now: int) -> bytes:
    """The change as an incoming event that happened at `now` (epoch ms)."""
    metadata: dict[str, object] = {"type": change.type, "name": change.name}
    if change.description:
        metadata["description"] = change.description
    metadata["action"] = change.action
    if change.environments:
        metadata["environments"] = change.environments
    metadata |= {"projectName": "Example", "projectID": "2Jq8vB", "tags": [], "targetApps": []}
    user = {name: text for name, text in (("name", change.actor), ("email", change.email)) if text}
    return jsontext.dump({"user": user, "event": NAME, "metadata": metadata, "timestamp": now})
