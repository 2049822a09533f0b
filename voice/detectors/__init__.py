"""What a call sounds like: from audio to `VoiceEvidence`. Shells of numpy and models; they decide nothing."""
