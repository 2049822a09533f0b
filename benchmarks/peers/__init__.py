"""Other engines, set up as their own documentation recommends for Twilio: the same vendors or scripted parts as ours.

They live in environments of their own (the extras `peer-pipecat` and `peer-livekit`); nothing here is imported by others.
"""
