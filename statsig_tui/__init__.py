"""See and drive both halves of Statsig's Event Webhook. Imports nothing."""

__version__ = "0.1.0"
