"""The carrier and the callers of a measurement: processes of their own, talking to any server of media streams."""
