"""Stand-ins for the vendors: small servers that speak each vendor's documented wire protocol, its delays and its faults.

Used by tests, benchmarks and the demo alike; `python -m benchmarks.vendors --help` runs one as a process of its own.
"""
