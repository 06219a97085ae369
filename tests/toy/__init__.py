"""A toy world with known answers, written in the public formats that `xvr.sources` reads."""
