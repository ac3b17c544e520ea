"""One file, one technique: each recognises one way to interfere, and none knows another."""
