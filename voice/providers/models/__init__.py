"""Model files that ship with offhook, each with its licence beside it."""
