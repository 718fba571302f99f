"""The moving parts on asyncio: listeners, forwarder, delivery, store. Never draws."""
