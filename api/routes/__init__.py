"""The routes, one module a subject. Each is a function of the parts it needs that returns a router; none keeps state."""
