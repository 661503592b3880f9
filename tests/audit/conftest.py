"""Fixtures of a tiny audit with a known outcome."""

from support.fake_audit import audit_config, audit_context

__all__ = ["audit_config", "audit_context"]
