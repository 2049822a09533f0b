"""Ears, mouth and mind that need no account: they run on this machine, each engine in a process of its own."""
