"""Fixtures of the kitchen: room, lights, counter, cabinets, coffee machine and microwave.

The robot stands at the world's origin and looks along +x; the counter runs along y in front of
it. A fixture's body has its origin on the surface it stands on, at the middle of its front, so
that its depth goes to +x and its own left and right are the robot's (+y is left).
"""

import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np

from xvr.sim.kitchen_layout import Layout
from xvr.sim.kitchen_mjcf import SOLID, Mjcf, Vec3
from xvr.sim.kitchen_textures import Rgb, burners, display, shade

BUTTON_TRAVEL_M = 0.012
"""How far a button can be pushed in."""

HALF_RUN_M = 2.4
"""The counter reaches this far to the left and right."""


def add_room(k: Mjcf, world: ET.Element, lay: Layout) -> None:
    """Floor, back wall, side walls and backsplash."""
    look = lay.look
    floor = k.material(look.floor, gloss=0.15)
    wall = k.material(look.wall, gloss=0.05)
    splash = k.material(look.backsplash, gloss=0.3)
    k.box(world, (6.0, 6.0, 0.1), (0, 0, -0.05), floor, tile_m=0.9)
    k.box(world, (0.1, 6.0, 2.8), (lay.wall_x_m + 0.05, 0, 1.4), wall, tile_m=1.0)
    for side in (-1, 1):
        k.box(world, (6.0, 0.1, 2.8), (0, side * 2.6, 1.4), wall, tile_m=1.0)
    k.box(
        world,
        (0.012, 2 * HALF_RUN_M, lay.cabinet_z_m - lay.counter_z_m),
        (lay.wall_x_m - 0.006, 0, (lay.cabinet_z_m + lay.counter_z_m) / 2),
        splash,
        tile_m=look.splash_tile_m,
    )


def add_counter(k: Mjcf, world: ET.Element, lay: Layout) -> None:
    """Worktop, drawers and doors below it, toe kick."""
    look = lay.look
    top = k.material(look.worktop, gloss=0.5)
    front = k.material(look.cabinet, gloss=0.2)
    inset = k.material(look.cabinet_inset, gloss=0.2)
    handle = k.material(look.metal, gloss=0.7)
    depth = lay.wall_x_m - lay.counter_x_m
    middle, z = lay.counter_x_m + depth / 2, lay.counter_z_m
    k.box(world, (depth, 2 * HALF_RUN_M, 0.04), (middle, 0, z - 0.02), top, tile_m=0.8)
    k.box(world, (depth - 0.05, 2 * HALF_RUN_M, z - 0.14), (middle + 0.025, 0, z / 2 + 0.03), front)
    face = lay.counter_x_m + 0.03
    for y in np.arange(-HALF_RUN_M + 0.3, HALF_RUN_M, 0.6):
        k.box(world, (0.02, 0.56, 0.15), (face, y, z - 0.14), inset, solid=False)
        k.box(world, (0.02, 0.56, z - 0.38), (face, y, z / 2 - 0.06), inset, solid=False)
        for height in (z - 0.14, z - 0.28):
            ends = (face - 0.035, y - 0.08, height), (face - 0.035, y + 0.08, height)
            k.rod(world, *ends, 0.007, handle)


def add_hob(k: Mjcf, world: ET.Element, lay: Layout, y: float) -> None:
    """A glass cooktop let into the worktop."""
    glass = k.material(burners((0.5, 0.5, 0.52)), gloss=0.8)
    x = (lay.counter_x_m + lay.wall_x_m) / 2
    k.box(world, (0.5, 0.56, 0.008), (x, y, lay.counter_z_m + 0.004), glass, fit=True)


def add_sink(k: Mjcf, world: ET.Element, lay: Layout, y: float) -> None:
    """A steel sink with its tap; the basin is shown as a dark inset."""
    steel = k.material((0.62, 0.64, 0.66), gloss=0.7)
    basin = k.material((0.3, 0.31, 0.33), gloss=0.6)
    x, z = (lay.counter_x_m + lay.wall_x_m) / 2, lay.counter_z_m
    k.box(world, (0.42, 0.6, 0.006), (x, y, z + 0.003), steel)
    k.box(world, (0.34, 0.52, 0.006), (x, y, z + 0.004), basin, solid=False)
    tap: tuple[Vec3, ...] = (
        (x + 0.2, y, z),
        (x + 0.2, y, z + 0.28),
        (x + 0.13, y, z + 0.34),
        (x + 0.04, y, z + 0.3),
        (x + 0.03, y, z + 0.24),
    )
    for start, end in pairwise(tap):
        k.rod(world, start, end, 0.013, steel)


def add_upper_cabinets(k: Mjcf, world: ET.Element, lay: Layout) -> None:
    """Closed cabinets along the wall, with a gap where the open one hangs."""
    look = lay.look
    front = k.material(look.cabinet, gloss=0.2)
    inset = k.material(look.cabinet_inset, gloss=0.2)
    handle = k.material(look.metal, gloss=0.7)
    depth, width, height = lay.cabinet_depth_m, lay.cabinet_width_m, lay.cabinet_height_m
    x, z = lay.wall_x_m - depth / 2, lay.cabinet_z_m + height / 2
    face = lay.wall_x_m - depth - 0.008
    for slot in range(-3, 4):
        y = lay.cabinet_y_m + slot * (width + 0.01)
        if slot == 0 or abs(y) > HALF_RUN_M:
            continue
        k.box(world, (depth, width, height), (x, y, z), front)
        for side in (-1, 1):
            centre = y + side * width / 4
            k.box(world, (0.016, width / 2 - 0.008, height - 0.01), (face, centre, z), front)
            panel = (0.006, width / 2 - 0.1, height - 0.12)
            k.box(world, panel, (face - 0.009, centre, z), inset, solid=False)
            at = y + side * 0.035
            ends = (face - 0.03, at, z - 0.22), (face - 0.03, at, z - 0.08)
            k.rod(world, *ends, 0.006, handle)


def add_open_cabinet(k: Mjcf, world: ET.Element, lay: Layout) -> None:
    """The cabinet with shelves whose two doors stand open."""
    look = lay.look
    front = k.material(look.cabinet, gloss=0.2)
    inside = k.material(look.cabinet_inside, gloss=0.1)
    inset = k.material(look.cabinet_inset, gloss=0.2)
    handle = k.material(look.metal, gloss=0.7)
    depth, width, height = lay.cabinet_depth_m, lay.cabinet_width_m, lay.cabinet_height_m
    x, y, z = lay.wall_x_m - depth / 2, lay.cabinet_y_m, lay.cabinet_z_m
    k.box(world, (depth, width, 0.02), (x, y, z + 0.01), inside)
    k.box(world, (depth, width, 0.02), (x, y, z + height - 0.01), front)
    k.box(world, (depth - 0.03, width, 0.018), (x + 0.01, y, z + lay.shelf_gap_m + 0.02), inside)
    k.box(world, (0.01, width, height), (lay.wall_x_m - 0.006, y, z + height / 2), inside)
    for side in (-1, 1):
        edge = y + side * (width / 2 - 0.01)
        k.box(world, (depth, 0.02, height), (x, edge, z + height / 2), front)
        # The door's own frame: its width goes along -x when it stands straight out.
        hinge = (lay.wall_x_m - depth, y + side * width / 2, z + height / 2)
        turn = side * -(lay.door_open_rad - np.pi / 2)
        door = k.body(world, f"cabinet_door_{'right' if side < 0 else 'left'}", hinge, turn)
        half = width / 2 - 0.005
        k.box(door, (half, 0.018, height - 0.01), (-half / 2, 0, 0), front)
        panel = (half - 0.1, 0.006, height - 0.12)
        for face in (-1, 1):
            k.box(door, panel, (-half / 2, face * 0.01, 0), inset, solid=False)
        grip = -half + 0.035
        ends = (grip, side * 0.035, -0.22), (grip, side * 0.035, -0.08)
        k.rod(door, *ends, 0.006, handle)


def add_coffee_machine(k: Mjcf, world: ET.Element, lay: Layout, at: Vec3) -> Vec3:
    """A coffee machine with a button to press.

    Returns:
        The middle of the button's face in the world, metres; it is pressed along +x.
    """
    look = lay.look
    body = k.body(world, "coffee_machine", at)
    shell = k.material(look.appliance, gloss=0.5)
    dark = k.material((0.06, 0.06, 0.07), gloss=0.4)
    steel = k.material((0.72, 0.73, 0.75), gloss=0.8)
    k.shadow(body, 0.15, 0.12, (0.15, 0, 0))
    k.box(body, (0.3, 0.24, 0.045), (0.15, 0, 0.0225), shell)
    k.box(body, (0.14, 0.24, 0.36), (0.23, 0, 0.18), shell)
    k.box(body, (0.28, 0.24, 0.11), (0.16, 0, 0.305), shell)
    k.box(body, (0.25, 0.2, 0.02), (0.17, 0, 0.37), dark, solid=False)
    k.box(body, (0.13, 0.18, 0.006), (0.075, 0, 0.048), dark, solid=False)
    k.box(body, (0.004, 0.2, 0.2), (0.159, 0, 0.15), dark, solid=False)
    k.turned(body, [(0.022, 0.215), (0.03, 0.25), (0.03, 0.26)], (0.085, 0, 0), steel)
    china = k.material((0.92, 0.9, 0.86), gloss=0.5)
    mug = [(0, 0), (0.03, 0), (0.036, 0.085), (0.032, 0.085), (0.028, 0.01)]
    k.turned(body, mug, (0.085, 0, 0.05), china)
    k.solid(body, "cylinder", (0.036, 0.043), (0.085, 0, 0.093))
    glass = k.material(display("READY", (0.4, 0.9, 0.75)), gloss=0.8, glow=0.35)
    k.box(body, (0.004, 0.09, 0.04), (0.018, 0.055, 0.31), glass, fit=True, solid=False)
    for y in (-0.095, -0.07):
        k.ball(body, (0.019, y, 0.285), (0.006, 0.007, 0.007), steel)
    button: Vec3 = (0.02, -0.035, 0.312)
    k.turned(body, [(0.024, 0), (0.024, 0.001)], (0, 0, 0), steel)
    _add_button(k, body, "coffee_button", button, 0.019, look.button)
    return at[0] + button[0] - 0.016, at[1] + button[1], at[2] + button[2]


def add_microwave(k: Mjcf, world: ET.Element, lay: Layout, at: Vec3) -> Vec3:
    """A microwave with a hinged door on its left and a panel with the stop button on its right.

    Returns:
        The middle of the stop button's face in the world, metres; it is pressed along +x.
    """
    look = lay.look
    width, depth, height = 0.5, 0.34, 0.29
    body = k.body(world, "microwave", at)
    shell = k.material(look.appliance, gloss=0.5)
    dark = k.material((0.05, 0.05, 0.06), gloss=0.8)
    panel = k.material(shade(look.appliance, 0.55), gloss=0.4)
    steel = k.material((0.72, 0.73, 0.75), gloss=0.8)
    k.box(body, (depth - 0.03, width, height), (0.03 + (depth - 0.03) / 2, 0, height / 2), shell)
    k.shadow(body, depth / 2, width / 2, (depth / 2, 0, 0))
    right = -width / 2 + 0.075
    k.box(body, (0.03, 0.15, height), (0.015, right, height / 2), panel)
    clock = k.material(display(look.clock, (0.35, 0.95, 0.45)), gloss=0.8, glow=0.35)
    k.box(body, (0.004, 0.11, 0.045), (-0.001, right, height - 0.045), clock, fit=True, solid=False)
    for row in range(3):
        for column in (-1, 0, 1):
            key = (-0.002, right + column * 0.035, height - 0.095 - row * 0.027)
            k.box(body, (0.006, 0.026, 0.018), key, steel, solid=False)
    k.ball(body, (-0.001, right + 0.034, 0.075), (0.006, 0.016, 0.016), steel)
    stop: Vec3 = (0.0, right - 0.026, 0.075)
    _add_button(k, body, "microwave_stop", stop, 0.019, (0.75, 0.08, 0.07))
    door = k.body(body, "microwave_door", (0.015, width / 2, height / 2))
    ET.SubElement(
        door,
        "joint",
        name="microwave_door_hinge",
        type="hinge",
        axis="0 0 -1",
        range="0 1.9",
        limited="true",
        damping="0.5",
        frictionloss="1.0",
    )
    span = width - 0.155
    k.box(door, (0.028, span, height), (0, -span / 2, 0), shell, solid=False)
    k.box(
        door, (0.006, span - 0.07, height - 0.08), (-0.015, -span / 2 + 0.01, 0), dark, solid=False
    )
    k.solid(door, "box", (0.012, span / 2, height / 2 - 0.01), (0, -span / 2, 0), mass="1.2")
    grip = -span + 0.022
    k.rod(door, (-0.045, grip, -0.09), (-0.045, grip, 0.09), 0.009, steel)
    return at[0] + stop[0] - 0.016, at[1] + stop[1], at[2] + stop[2]


def _add_button(k: Mjcf, body: ET.Element, name: str, at: Vec3, radius: float, colour: Rgb) -> None:
    """A round button on a spring that slides along +x; its face is 16 mm in front of `at`."""
    moving = k.body(body, name, at)
    ET.SubElement(
        moving,
        "joint",
        name=f"{name}_slide",
        type="slide",
        axis="1 0 0",
        range=f"0 {BUTTON_TRAVEL_M}",
        limited="true",
        stiffness="150",
        damping="4",
        armature="0.02",
    )
    look = k.material(colour, gloss=0.5, glow=0.1)
    k.rod(moving, (-0.016, 0, 0), (0.004, 0, 0), radius, look, round_ends=False)
    # A thin disc: a longer one would be stopped by the static housing that it slides into.
    ET.SubElement(
        moving,
        "geom",
        type="cylinder",
        fromto="-0.016 0 0 -0.013 0 0",
        size=f"{radius:g}",
        group=SOLID,
        mass="0.02",
    )


def add_lights(world: ET.Element, lay: Layout) -> None:
    """A ceiling lamp behind the robot and a soft fill from the other side."""
    azimuth, scale = lay.look.light_azimuth_rad, lay.look.brightness
    lamp = (0.1 + 0.25 * np.cos(azimuth), 0.8 * np.sin(azimuth), 2.6)
    aim = np.array([0.75, 0.0, lay.counter_z_m]) - np.array(lamp)
    for name, pos, direction, strength, shadow in (
        ("lamp", lamp, aim, 0.5 * scale, "true"),
        ("fill", (-1.0, -lamp[1], 2.2), np.array([1.0, lamp[1], -0.9]), 0.22 * scale, "false"),
    ):
        ET.SubElement(
            world,
            "light",
            name=name,
            pos=" ".join(f"{value:.4g}" for value in pos),
            dir=" ".join(f"{value:.4g}" for value in direction),
            directional="true",
            castshadow=shadow,
            diffuse=" ".join([f"{strength:.3g}"] * 3),
            specular="0.2 0.2 0.2",
            ambient="0 0 0",
        )
