"""It keeps talking: deadlines from a provider's own recent past, circuit breakers, hedging, and fallbacks behind the ports.

The cores (`latency`, `breaker`, `race`, `continuation`, `replay`) are pure; `health` holds what all calls of the process
share; `ears`, `mind` and `mouth` wrap an ordered list of providers behind the port of one.
"""
