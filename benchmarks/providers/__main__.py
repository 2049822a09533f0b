"""`python -m benchmarks.providers`: all figures as JSON. `offhook bench providers` shows them with their targets."""

from __future__ import annotations

import asyncio
import json

from benchmarks.providers import providers

if __name__ == "__main__":
    print(json.dumps(asyncio.run(providers()), indent=2))
