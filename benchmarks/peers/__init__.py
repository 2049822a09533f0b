"""Other engines, set up as their own documentation recommends for Twilio, with the same scripted parts as ours.

They live in environments of their own (`pip install 'offhook[pipecat]'`, `'offhook[livekit]'`): nothing here is imported
by anything else.
"""
