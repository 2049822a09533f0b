"""Engines under test, each started as a process of its own with the same scripted parts."""
