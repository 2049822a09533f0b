"""The console's pages: plain HTML, CSS and JavaScript, no build step, nothing from other hosts."""
