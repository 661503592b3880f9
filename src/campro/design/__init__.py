"""Design: adversarial training of a profile against recognisers, together with a person detector.

The entry point is `campro.design.designer.design`. Nothing is imported here, so that `campro design --help` is fast.
"""
