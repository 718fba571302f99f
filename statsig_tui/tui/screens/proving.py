"""How Live is shown to be alive: a probe through every hop, and a tunnel that lets Statsig in."""

from __future__ import annotations

from statsig_tui.core.config import RECEIVER
from statsig_tui.tui.screens.finding import FindingScreen


class ProvingScreen(FindingScreen):
    """The list, and what makes something arrive in it."""

    def can_prove(self, action: str) -> bool | None:
        """Whether one of this part's actions can do something; None: it is another part's."""
        if action not in ("probe", "tunnel"):
            return None
        return self.bridge.engine is not None and (action == "tunnel" or bool(self.host.config.destinations))

    def action_probe(self) -> None:
        """Send a marked event to `receiver`, or to the destination chosen there."""
        from statsig_tui.tui.screens.probe import ProbeScreen

        engine = self.bridge.engine
        if engine is not None and self.app.screen is self:
            self.app.push_screen(ProbeScreen(self.bridge, engine.destinations(), RECEIVER))

    def action_tunnel(self) -> None:
        """Ask for the public URL of a tunnel, and try it."""
        from statsig_tui.tui.screens.tunnel import TunnelDialog

        if self.app.screen is self:
            self.app.push_screen(TunnelDialog(self))
