"""Search for a profile over a few structural parameters, judged by attacks and person detection."""
