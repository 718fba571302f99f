"""The three modes and their dialogs."""
