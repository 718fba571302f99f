"""A component's style that asks for it is drawn the other way round, which Textual's forgets to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.style import Style
from textual.widget import Widget

# Textual takes bindings and styles from the first widget among the bases, which is to be its own.
if TYPE_CHECKING:
    _Base = Widget
else:
    _Base = object


class Turning(_Base):
    """What a widget that draws its chosen line by a component's style has before Textual's in its bases."""

    def get_visual_style(self, *component_classes: str, partial: bool = False) -> Style:
        """Textual's, and whether it is drawn the other way round."""
        style = super().get_visual_style(*component_classes, partial=partial)
        turned = any(self.get_component_styles(name).text_style.reverse for name in component_classes)
        return style + Style(reverse=True) if turned else style
