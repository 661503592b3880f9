"""Profiles on real cameras: what each can hold, and the files that its own software loads."""
