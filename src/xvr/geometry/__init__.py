"""Pure functions on arrays: cameras, visibility, rays, directions, point clouds, similarity.

Conventions, everywhere in the package: camera axes are OpenCV's (x right, y down, z forward);
lengths are metres; pixel centres lie at +0.5, as in COLMAP; depth is along z; a transform is named
`target_from_source`. Readers in `xvr.sources` convert at the border and nowhere else.
"""
