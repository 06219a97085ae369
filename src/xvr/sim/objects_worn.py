"""A hat, a shoe and a handbag; sizes in metres are those of the real things."""

from collections.abc import Mapping

import cv2
import numpy as np

from xvr.sim.meshes import Mesh, grid, merged, rotation, stretched
from xvr.sim.palette import pick, rgb
from xvr.sim.parts import Maker, Part
from xvr.sim.prints import box_atlas
from xvr.sim.solids import box, curve, extrusion, lathe, tube
from xvr.sim.textures import canvas, fur, motif, noise, plaid, plain, shaded, weave


def hat(rng: np.random.Generator) -> tuple[Part, ...]:
    """A brimmed straw or felt hat with a band."""
    if rng.random() < 0.5:
        cloth = weave(rng, plain((212, 182, 124), rng, 256, 0.05), 0.22)
    else:
        cloth = fur(rng, (256, 256), pick(rng, "cocoa", "charcoal", "navy", "forest", "plum"))
    dip = rng.uniform(0.006, 0.014)
    brim = curve([(0.086, 0.016), (0.12, 0.011), (0.152, 0.02 + dip)], 12)
    crown = curve([(0.088, 0.016), (0.082, 0.06), (0.07, 0.1), (0.045, 0.112), (0, 0.1)], 22)
    under = lathe(curve([(0.08, 0.012), (0.12, 0.008), (0.152, 0.018 + dip)], 10), segments=52)
    shell = merged(under, lathe(brim[::-1], segments=52), lathe(crown, segments=52))
    bend = shell.vertices.copy()
    bend[:, 2] += 0.6 * np.clip(np.abs(bend[:, 1]) - 0.07, 0, 1) ** 1.2
    mesh = Mesh(vertices=bend * (1, 0.86, 1), normals=shell.normals, uv=shell.uv, faces=shell.faces)
    ribbon = motif(rng, (32, 384), pick(rng), [pick(rng)], (1, 16))
    band = stretched(lathe([(0.0895, 0.017), (0.0862, 0.043)], segments=52), (1, 0.86, 1))
    return Part(mesh=mesh, texture=cloth, specular=0.02), Part(
        mesh=band, texture=ribbon, specular=0.1
    )


def shoe(rng: np.random.Generator) -> tuple[Part, ...]:
    """A canvas sneaker with a white sole and laces."""
    share = np.linspace(0, 1, 26)
    x = 0.25 * (share - 0.5)
    half = np.interp(
        share,
        [0, 0.04, 0.14, 0.4, 0.72, 0.93, 0.985, 1],
        [0.006, 0.022, 0.033, 0.031, 0.043, 0.034, 0.016, 0.003],
    )
    top = np.interp(
        share,
        [0, 0.05, 0.12, 0.42, 0.6, 0.85, 1],
        [0.045, 0.086, 0.088, 0.082, 0.058, 0.042, 0.022],
    )
    ring = np.linspace(0, np.pi, 17)
    points = np.empty((17, 26, 3))
    points[..., 0] = x
    points[..., 1] = -np.cos(ring)[:, None] * half
    points[..., 2] = 0.016 + (top - 0.016) * np.sin(ring)[:, None] ** 0.75
    cloth = weave(
        rng,
        plaid(rng, (256, 384), [pick(rng) for _ in range(2)])
        if rng.random() < 0.4
        else canvas(
            (256, 384), pick(rng, "navy", "brick", "forest", "charcoal", "teal", "mustard")
        ),
        0.1,
    )
    cloth[:, 340:] = (232, 228, 220)
    cloth[110:146, 40:150] = (54, 48, 48)
    for lace in range(5):
        cv2.line(
            cloth, (172 + 26 * lace, 96), (180 + 26 * lace, 160), (240, 238, 232), 7, cv2.LINE_AA
        )
    cv2.ellipse(cloth, (80, 40), (26, 22), 0, 0, 360, (236, 232, 224), -1, cv2.LINE_AA)
    cv2.ellipse(cloth, (80, 216), (26, 22), 0, 0, 360, (236, 232, 224), -1, cv2.LINE_AA)
    outline = np.concatenate(
        [np.stack([x, -half - 0.004], -1), np.stack([x, half + 0.004], -1)[::-1]]
    )
    sole = extrusion(outline, 0.022).moved((0, 0, 0.011), rotation("x", np.pi / 2))
    rim = canvas((64, 256), (234, 230, 222))
    return Part(mesh=grid(points), texture=cloth, specular=0.03), Part(
        mesh=sole, texture=rim, specular=0.1
    )


def handbag(rng: np.random.Generator) -> tuple[Part, ...]:
    """A handbag with two handles and a clasp."""
    skin = (
        plaid(rng, (256, 256), [pick(rng) for _ in range(3)])
        if rng.random() < 0.4
        else shaded(
            pick(rng, "cocoa", "brick", "navy", "forest", "plum", "mustard"),
            noise(rng, (256, 256), (50, 50), 3) * 0.12,
        )
    )
    seam = skin.copy()
    cv2.rectangle(seam, (10, 10), (245, 245), rgb(pick(rng, "sand", "cream")), 2)
    cv2.line(seam, (10, 90), (245, 90), rgb(pick(rng, "sand", "cream")), 2)
    body = box((0.24, 0.09, 0.165), 0.025, 5)
    taper = np.interp(body.vertices[:, 2], [0, 0.165], [1.0, 0.72])
    shape = body.vertices * np.stack([0.5 + taper / 2, taper, np.ones_like(taper)], axis=-1)
    mesh = type(body)(vertices=shape, normals=body.normals, uv=body.uv, faces=body.faces)
    arcs = [
        tube(
            curve(
                [
                    (-0.06, y, 0.15),
                    (-0.05, y, 0.215),
                    (0, y, 0.245),
                    (0.05, y, 0.215),
                    (0.06, y, 0.15),
                ],
                20,
            ),
            0.006,
            10,
        )
        for y in (-0.024, 0.024)
    ]
    clasp = box((0.034, 0.008, 0.026), 0.003).moved((0, -0.04, 0.098))
    return (
        Part(
            mesh=mesh,
            texture=box_atlas((256, 256), {"front": seam, "back": seam}, skin),
            specular=0.2,
        ),
        Part(mesh=merged(*arcs), texture=skin[:32], specular=0.2),
        Part(mesh=clasp, texture=plain((196, 166, 96), rng), specular=0.8),
    )


WORN: Mapping[str, Maker] = {
    "handbag": handbag,
    "hat": hat,
    "shoe": shoe,
}
