"""Attackers, from what anybody tries to what the owner of a camera can do; each is given no more than it may know."""
