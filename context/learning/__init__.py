"""After the call: what was said becomes a summary, a sentiment, and facts for the next call."""
