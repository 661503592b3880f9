"""Deployment of profiles to target cameras, and calibration of the simulation to real cameras."""
