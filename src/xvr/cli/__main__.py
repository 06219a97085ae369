"""`python -m xvr.cli`, for launchers that start modules: `accelerate launch --module xvr.cli`."""

from xvr.cli import entry

entry()
