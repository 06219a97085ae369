"""The web page over a dataset: numbers, samples, and each answer with its proof in 3D.

show(Path("out"))  # writes out/show.html, a file that opens from disk
"""

from xvr.viewer.show import show

__all__ = ["show"]
