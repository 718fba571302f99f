"""Advice on an incoming event: what Statsig would likely refuse, drop or misread, and how to mend it.

It advises and never blocks. Everything for which strict mode refuses a body is an error here. Pure.
"""

from statsig_tui.core.lint.advice import Advice, Edit, Fix, Severity
from statsig_tui.core.lint.keys import advise_key
from statsig_tui.core.lint.text import advise, mended

__all__ = ["Advice", "Edit", "Fix", "Severity", "advise", "advise_key", "mended"]
