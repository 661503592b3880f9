"""Design: train a profile by the adversarial game of recogniser, camera and person detector.

Start at `campro.design.designer.design`; nothing is imported here, so that `campro design --help` answers at once.
"""
