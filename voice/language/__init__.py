"""Pure tools for text that is spoken: wording, words and how alike they sound, numbers and times as people say them."""
