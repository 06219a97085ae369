"""Embedded worlds drawn with MuJoCo, written in the public formats that `xvr.sources` reads."""
