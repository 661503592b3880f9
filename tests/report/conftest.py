"""Fixtures of a tiny audit with a known outcome."""

from support.fake_audit import _audit_folder, audit_config, audit_context, finished_audit

__all__ = ["_audit_folder", "audit_config", "audit_context", "finished_audit"]
