"""The log file and the lines of errors: no secret that is known by now, nothing that drives a terminal."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from statsig_tui.cli.log import log_to
from statsig_tui.cli.options import in_words
from statsig_tui.cli.secrets import Secrets
from statsig_tui.core.config import Config, Destination, Secret
from statsig_tui.errors import StatsigTuiError
from tests.corpus.cases_t import LEAK, TEXTS


def settings(secret: str) -> Config:
    """Settings with a secret of no known shape."""
    return Config(destinations=(Destination("d", "http://localhost/", secret=Secret.of(secret)),))


@pytest.fixture
def logged(tmp_path: Path) -> Iterator[Callable[[Secrets], Callable[[], str]]]:
    """Log to a file, and what is in it; the logging of the tests is as it was afterwards."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level, logging.raiseExceptions)

    def begin(secrets: Secrets) -> Callable[[], str]:
        # Half characters cannot be handed from a worker of the test run to its reporter.
        root.handlers[:] = []
        log_to(tmp_path / "log", secrets)
        return (tmp_path / "log").read_text

    yield begin
    for handler in [item for item in root.handlers if item not in before[0]]:
        handler.close()
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    logging.raiseExceptions = before[2]


def test_a_secret_learned_later_is_masked_in_the_log_and_a_former_one_still_is(
    logged: Callable[[Secrets], Callable[[], str]],
) -> None:
    secrets = Secrets()
    text = logged(secrets)
    secrets.learn(settings("first canary of no shape"))
    secrets.learn(settings("second canary of no shape"))
    logging.getLogger("x").warning("%s", "first canary of no shape, second canary of no shape")
    try:
        raise ValueError("second canary of no shape")
    except ValueError:
        logging.getLogger("x").exception("broken")
    assert "canary" not in text()
    assert "ValueError" in text()


def test_a_foreign_text_in_the_log_drives_no_terminal(
    logged: Callable[[Secrets], Callable[[], str]],
) -> None:
    text = logged(Secrets())
    for foreign in TEXTS:
        logging.getLogger("x").warning("%s", foreign)
    assert not LEAK.search(text().replace("\n", ""))
    assert "␛]0;X␇" in text()


@pytest.mark.parametrize("as_json", [False, True])
def test_an_error_is_told_without_the_secrets_that_are_known(as_json: bool) -> None:
    secrets = Secrets()
    secrets.learn(settings("canary of no shape"))
    error = StatsigTuiError("It broke by canary of no shape.", "Not canary of no shape.")
    said = in_words(error, secrets, as_json=as_json)
    assert "canary" not in said
    assert "It broke by" in said
