"""Code that exports carry: `xvr.evaluation.harness.standalone` writes it into one file.

What is here runs inside another harness, without this package. It uses the standard library, what
that harness brings, and modules of ours that do the same.
"""
