"""A telephone network of our own that speaks Twilio's protocol: REST, signed webhooks, media streams, and people to ring.

A stand-in that the engine reaches over real HTTP and WebSockets through exactly the code that reaches Twilio. `server.serve`
starts one inside a running loop, `server.main_async` runs one as a process. How to use it: docs/telephony.md.
"""
