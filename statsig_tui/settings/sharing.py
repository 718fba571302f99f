"""Destinations as TOML of their own, for another machine or another person: no secret goes along."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from statsig_tui.core.config import Config, Destination, Secret
from statsig_tui.core.redact import tells_secret
from statsig_tui.errors import NotFound, SettingsError
from statsig_tui.settings.document import parse, to_config
from statsig_tui.settings.references import doubt_certificates
from statsig_tui.settings.writing import to_document, to_text

SECTION = "destinations"


@dataclass(frozen=True, slots=True)
class Exported:
    """The text, and in words what was left out of it."""

    text: str
    left_out: tuple[str, ...]


def exported(config: Config, names: Sequence[str] = ()) -> Exported:
    """These destinations, or all of them; secrets as references only. Raises NotFound."""
    for name in names:
        if config.destination(name) is None:
            known = ", ".join(item.name for item in config.destinations)
            raise NotFound(f"There is no destination {name}.", f"Known are: {known}.")
    left_out: list[str] = []
    chosen: list[Destination] = []
    for item in config.destinations:
        if names and item.name not in names:
            continue
        if any(value in item.url for value in config.secret_values()):
            left_out.append(f"{item.name}: all of it, for its URL holds a secret")
        else:
            chosen.append(_without_secrets(item, config.secret_values(), left_out))
    entries = to_document(Config(destinations=tuple(chosen)))[SECTION]
    return Exported(to_text({SECTION: entries}), tuple(left_out))


def imported(data: bytes, file: str, config: Config, *, replaces: bool) -> tuple[Config, list[str]]:
    """The configuration with the destinations of a file, and warnings; raises SettingsError.

    One whose name is there already is an error, or with `replaces` takes its place.
    """
    report = parse(data, file)
    report.document = {name: value for name, value in report.document.items() if name == SECTION}
    if not report.document.get(SECTION):
        raise SettingsError(f"{file}: holds no [[{SECTION}]]", "export some, or write them by hand")
    found = to_config(report, Config)
    if found is None:
        raise report.errors[0]
    given = {item.name: item for item in found.destinations}
    there = {item.name for item in config.destinations}
    if (same := [name for name in given if name in there]) and not replaces:
        raise SettingsError(
            f'{file}: "{same[0]}" is the name of a destination already',
            "rename it in the file, or import with --replace",
        )
    kept = tuple(given.pop(item.name, item) for item in config.destinations)
    doubt_certificates(found, report.warn)
    unsigned = [item.name for item in found.destinations if item.secret is None]
    warnings = [*report.warnings, *(f"{name}: has no signing secret; nothing is signed" for name in unsigned)]
    return replace(config, destinations=(*kept, *given.values())), warnings


def _without_secrets(item: Destination, known: Collection[str], left_out: list[str]) -> Destination:
    def is_kept(secret: Secret | None, what: str) -> bool:
        if secret is not None and secret.inline is not None:
            left_out.append(f"{item.name}: {what}, which stands in the settings")
            return False
        return True

    headers: dict[str, str] = {}
    for name, value in item.headers.items():
        if tells_secret(name) or any(secret in value for secret in known):
            left_out.append(f"{item.name}: the header {name}")
        else:
            headers[name] = value
    return replace(
        item,
        secret=item.secret if is_kept(item.secret, "its signing secret") else None,
        old_secrets=tuple(old for old in item.old_secrets if is_kept(old.secret, "an old signing secret")),
        headers=headers,
    )
