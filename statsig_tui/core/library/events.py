"""Templates of events that are right: each class that can be posted in (statsig-wire.md §1–3). Pure."""

from __future__ import annotations

from statsig_tui.core.library.model import Template

_GROUP = "Events"
_KEPT = "Accepted; a 2xx says that it arrived, not that it is kept."
_EXPOSURE = (
    "Accepted as an event of this reserved name; SDKs send their exposures to /v1/log_event, and whether "
    "Statsig counts one that is posted here is not documented."
)


def _event(name: str, about: str, text: str, expect: str = _KEPT) -> Template:
    return Template(name, text, _GROUP, about, expect, 202)


def _exposure(name: str, event: str, metadata: str, about: str) -> Template:
    text = f"""\
{{
  "user": {{
    "userID": "user-1042",
    "customIDs": {{ "stableID": "3f2c9a" }},
    "statsigEnvironment": {{ "tier": "development" }}
  }},
  "event": "{event}",
  "metadata": {{
{metadata}
  }},
  "timestamp": {{{{now_ms}}}}
}}"""
    return _event(name, about, text, _EXPOSURE)


EVENTS = (
    _event(
        "minimal",
        "The smallest event: a user with an id, and a name",
        '{"user":{"userID":"user-1042"},"event":"hello"}',
    ),
    _event(
        "custom",
        "A custom event with a value, metadata and a whole user",
        """\
{
  "user": {
    "userID": "user-1042",
    "email": "user@example.com",
    "ip": "203.0.113.7",
    "userAgent": "Mozilla/5.0",
    "country": "DE",
    "locale": "de_DE",
    "appVersion": "4.2.0",
    "customIDs": { "stableID": "3f2c9a", "companyID": "acme" },
    "custom": { "plan": "pro", "seats": 3, "beta": true, "tags": ["a", "b"] },
    "statsigEnvironment": { "tier": "development" }
  },
  "event": "checkout_completed",
  "value": 49.90,
  "metadata": { "currency": "EUR", "items": "3", "order": "{{uuid}}" },
  "timestamp": {{now_ms}}
}""",
    ),
    _event(
        "text-value",
        "A value that is text, such as a SKU",
        """\
{
  "user": { "userID": "user-1042", "statsigEnvironment": { "tier": "development" } },
  "event": "add_to_cart",
  "value": "SKU-4711",
  "metadata": { "price": "9.99", "currency": "EUR" },
  "timestamp": {{now_ms}}
}""",
    ),
    _event(
        "anonymous",
        "A user without userID, known by a stableID alone",
        """\
{
  "user": {
    "customIDs": { "stableID": "{{uuid}}" },
    "statsigEnvironment": { "tier": "development" }
  },
  "event": "page_view",
  "value": "/pricing",
  "timestamp": {{now_ms}}
}""",
    ),
    _event(
        "varied",
        "Another user, plan and number each time: for a series",
        """\
{
  "user": {
    "userID": "user-{{seq}}",
    "custom": { "plan": "{{pick free|pro|enterprise}}" },
    "statsigEnvironment": { "tier": "development" }
  },
  "event": "{{pick page_view|add_to_cart|checkout_completed}}",
  "metadata": { "run": "{{uuid}}", "number": "{{seq}}" },
  "timestamp": {{now_ms}}
}""",
    ),
    _event(
        "late",
        "An event of an hour ago",
        """\
{
  "user": { "userID": "user-1042", "statsigEnvironment": { "tier": "development" } },
  "event": "offline_purchase",
  "value": 5,
  "timestamp": {{now_ms -1h}}
}""",
    ),
    _exposure(
        "gate-exposure",
        "statsig::gate_exposure",
        """\
    "gate": "new_checkout",
    "gateValue": "true",
    "ruleID": "default",
    "reason": "Network",
    "time": "{{now_ms}}\"""",
        "A feature gate was checked",
    ),
    _exposure(
        "config-exposure",
        "statsig::config_exposure",
        """\
    "config": "checkout_copy",
    "ruleID": "6Xz1Yx",
    "reason": "Network",
    "time": "{{now_ms}}\"""",
        "A dynamic config or experiment was read; what SDKs send for both",
    ),
    _exposure(
        "experiment-exposure",
        "statsig::experiment_exposure",
        """\
    "config": "checkout_copy",
    "experimentGroupName": "Test",
    "ruleID": "6Xz1Yx",
    "reason": "Network",
    "time": "{{now_ms}}\"""",
        "An experiment's exposure as Statsig names it; SDKs send config_exposure",
    ),
    _exposure(
        "layer-exposure",
        "statsig::layer_exposure",
        """\
    "config": "checkout_layer",
    "ruleID": "6Xz1Yx",
    "allocatedExperiment": "checkout_copy",
    "parameterName": "button_text",
    "isExplicitParameter": "true",
    "reason": "Network\"""",
        "A parameter of a layer was read",
    ),
    _exposure(
        "holdout-exposure",
        "statsig::holdout_exposure",
        """\
    "config": "q3_holdout",
    "ruleID": "default\"""",
        "A holdout's exposure; only its name is known",
    ),
    _exposure(
        "first-exposure",
        "statsig::first_exposure::checkout_copy",
        """\
    "config": "checkout_copy",
    "ruleID": "6Xz1Yx\"""",
        "A first exposure; only its name is known",
    ),
    _event(
        "config-change",
        "A gate was updated in the console",
        """\
{
  "user": { "name": "Console User", "email": "console@example.com" },
  "event": "statsig::config_change",
  "metadata": {
    "type": "Gate",
    "name": "new_checkout",
    "description": "- Updated Rule:\\n    - Pass Percentage: 10 to 50",
    "action": "updated",
    "environments": "development,staging,production",
    "projectName": "Example",
    "projectID": "2Jq8vB",
    "tags": [],
    "targetApps": []
  },
  "timestamp": {{now_ms}}
}""",
        "Statsig's console makes these; the emulator takes one and forwards it in the console's shape.",
    ),
    _event(
        "auto-capture",
        "What the browser SDK captures by itself",
        """\
{
  "user": { "userID": "user-1042", "statsigEnvironment": { "tier": "development" } },
  "event": "auto_capture::page_view",
  "value": "https://example.com/pricing",
  "metadata": { "title": "Pricing", "sessionID": "{{uuid}}" },
  "timestamp": {{now_ms}}
}""",
    ),
    _event(
        "segment",
        "An event as the Segment integration names it",
        """\
{
  "user": { "userID": "user-1042", "statsigEnvironment": { "tier": "development" } },
  "event": "segment::track::order_completed",
  "metadata": { "revenue": "25.00" },
  "timestamp": {{now_ms}}
}""",
    ),
    _event(
        "app-error",
        "An error of an app, an ordinary event with a reserved name",
        """\
{
  "user": { "userID": "user-1042", "statsigEnvironment": { "tier": "development" } },
  "event": "statsig::app_error",
  "value": "TypeError: undefined is not a function",
  "timestamp": {{now_ms}}
}""",
    ),
    _event(
        "internal",
        "SDK diagnostics: never forwarded to a webhook",
        """\
{
  "user": { "userID": "user-1042" },
  "event": "statsig::diagnostics",
  "metadata": { "context": "initialize", "markers": [] },
  "timestamp": {{now_ms}}
}""",
        "Arrives at /v1/log_event from SDKs, and is not forwarded.",
    ),
)
