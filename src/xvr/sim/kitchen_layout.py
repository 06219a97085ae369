"""What one kitchen looks like and where things stand in it, drawn from an episode's generator.

World frame: the robot's base is at the origin on the floor and looks along +x; y is to its left,
z is up; metres.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from xvr.sim.kitchen_mjcf import Vec3
from xvr.sim.kitchen_objects import PRODUCTS, Product
from xvr.sim.kitchen_textures import (
    Picture,
    Rgb,
    marble,
    planks,
    plaster,
    shade,
    stone,
    tiles,
    wood,
)

KitchenTask = Literal["CoffeePressButton", "TurnOffMicrowave", "PnPCabToCounter"]
"""RoboCasa's names (robocasa/robocasa v0.2, robocasa/environments/kitchen/single_stage)."""

KITCHEN_TASKS: tuple[KitchenTask, ...] = get_args(KitchenTask)


@dataclass(frozen=True, kw_only=True)
class Look:
    """Surfaces and colours."""

    floor: Picture
    wall: Picture
    backsplash: Picture
    splash_tile_m: float
    """Width that the backsplash picture covers."""
    worktop: Picture
    cabinet: Picture | Rgb
    cabinet_inset: Picture | Rgb
    cabinet_inside: Picture | Rgb
    metal: Rgb
    appliance: Rgb
    button: Rgb
    clock: str
    """What the microwave shows."""
    light_azimuth_rad: float
    """Where the main light comes from, about z."""
    brightness: float
    """Scale of all lights, about 1."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Places and sizes of one kitchen."""

    task: KitchenTask
    counter_x_m: float
    """Front edge of the worktop."""
    wall_x_m: float
    """Face of the back wall."""
    counter_z_m: float
    """Top of the worktop."""
    cabinet_z_m: float
    """Bottom of the upper cabinets."""
    cabinet_y_m: float
    """Middle of the cabinet that stands open in PnPCabToCounter."""
    cabinet_width_m: float
    cabinet_height_m: float
    cabinet_depth_m: float
    shelf_gap_m: float
    """Clear height of the lowest compartment."""
    door_open_rad: float
    """How far the doors of that cabinet stand open; 0 is shut, pi/2 is straight out."""
    coffee_y_m: float
    microwave_y_m: float
    product: Product
    """What PnPCabToCounter moves."""
    product_at: Vec3
    """Where it stands at first: its bottom."""
    place_at: Vec3
    """Where it goes: its bottom."""
    look: Look

    @property
    def instruction(self) -> str:
        """The language of the task, as RoboCasa has it."""
        if self.task == "CoffeePressButton":
            return "press the button on the coffee machine to serve coffee"
        if self.task == "TurnOffMicrowave":
            return "press the stop button on the microwave"
        return f"pick the {self.product.name} from the cabinet and place it on the counter"


def sample_layout(task: KitchenTask, rng: np.random.Generator) -> Layout:
    """A kitchen in which the fixture of `task` is in front of the robot."""
    counter_x = float(rng.uniform(0.36, 0.42))
    wall_x = counter_x + 0.62
    counter_z = float(rng.uniform(0.89, 0.92))
    cabinet_z, depth = counter_z + float(rng.uniform(0.42, 0.46)), 0.32
    main_y, side = float(rng.uniform(-0.1, 0.1)), float(rng.choice([-1.0, 1.0]))
    product = PRODUCTS[rng.integers(len(PRODUCTS))]
    near, far = main_y + side * rng.uniform(0.72, 0.82), main_y - side * rng.uniform(0.75, 0.85)
    coffee_y = main_y if task == "CoffeePressButton" else near
    microwave_y = {"CoffeePressButton": near, "TurnOffMicrowave": main_y + 0.14}.get(task, far)
    cabinet_y = main_y if task == "PnPCabToCounter" else main_y + float(rng.uniform(-0.3, 0.3))
    shut = bool(rng.random() < 0.5) and task != "PnPCabToCounter"
    product_y = cabinet_y + float(rng.uniform(-0.13, 0.13))
    product_x = wall_x - depth + float(rng.uniform(0.07, 0.1))
    away = 1.0 if product_y < cabinet_y else -1.0
    place_y = cabinet_y + away * float(rng.uniform(0.1, 0.24))
    place_x = counter_x + float(rng.uniform(0.14, 0.22))
    return Layout(
        task=task,
        counter_x_m=counter_x,
        wall_x_m=wall_x,
        counter_z_m=counter_z,
        cabinet_z_m=cabinet_z,
        cabinet_y_m=cabinet_y,
        cabinet_width_m=0.78,
        cabinet_height_m=0.68,
        cabinet_depth_m=depth,
        shelf_gap_m=0.37,
        door_open_rad=0.0 if shut else float(rng.uniform(np.radians(105), np.radians(150))),
        coffee_y_m=coffee_y,
        microwave_y_m=microwave_y,
        product=product,
        product_at=(product_x, product_y, cabinet_z + 0.02),
        place_at=(place_x, place_y, counter_z),
        look=sample_look(rng),
    )


def sample_look(rng: np.random.Generator) -> Look:
    """Surfaces of one style of kitchen: painted, wooden or dark."""
    paints: tuple[Rgb, ...] = (
        (0.86, 0.85, 0.81),
        (0.52, 0.6, 0.52),
        (0.22, 0.3, 0.42),
        (0.46, 0.48, 0.5),
        (0.66, 0.72, 0.74),
        (0.5, 0.27, 0.22),
        (0.8, 0.74, 0.6),
    )
    woods: tuple[Rgb, ...] = ((0.6, 0.42, 0.26), (0.42, 0.27, 0.17), (0.74, 0.58, 0.4))
    walls: tuple[Rgb, ...] = (
        (0.82, 0.8, 0.75),
        (0.72, 0.77, 0.78),
        (0.8, 0.72, 0.6),
        (0.65, 0.7, 0.62),
    )
    cabinet: Picture | Rgb
    inset: Picture | Rgb
    if rng.random() < 0.4:
        colour = woods[rng.integers(len(woods))]
        cabinet, inset = wood(rng, colour), wood(rng, shade(colour, 0.88))
    else:
        cabinet = paints[rng.integers(len(paints))]
        inset = shade(cabinet, 0.9)
    appliances: tuple[Rgb, ...] = (
        (0.1, 0.1, 0.11),
        (0.68, 0.69, 0.71),
        (0.6, 0.1, 0.1),
        (0.8, 0.78, 0.72),
        (0.3, 0.38, 0.42),
    )
    buttons: tuple[Rgb, ...] = ((0.75, 0.1, 0.1), (0.15, 0.5, 0.8), (0.85, 0.55, 0.1))
    metals: tuple[Rgb, ...] = ((0.65, 0.66, 0.68), (0.12, 0.12, 0.13), (0.62, 0.5, 0.3))
    return Look(
        floor=_floor(rng, woods),
        wall=plaster(rng, walls[rng.integers(len(walls))]),
        backsplash=_backsplash(rng),
        splash_tile_m=float(rng.uniform(0.5, 0.8)),
        worktop=_worktop(rng, woods),
        cabinet=cabinet,
        cabinet_inset=inset,
        cabinet_inside=wood(rng, (0.72, 0.6, 0.45)) if rng.random() < 0.5 else (0.8, 0.79, 0.76),
        metal=metals[rng.integers(len(metals))],
        appliance=appliances[rng.integers(len(appliances))],
        button=buttons[rng.integers(len(buttons))],
        clock=f"{rng.integers(0, 9)}:{rng.integers(10, 59)}",
        light_azimuth_rad=float(rng.uniform(-np.pi, np.pi)),
        brightness=float(rng.uniform(0.85, 1.1)),
    )


def _floor(rng: np.random.Generator, woods: tuple[Rgb, ...]) -> Picture:
    if rng.random() < 0.5:
        return planks(rng, woods[rng.integers(len(woods))])
    grey = float(rng.uniform(0.35, 0.65))
    return tiles(rng, (grey, grey * 0.97, grey * 0.92), (0.3, 0.29, 0.28), 2, 2)


def _worktop(rng: np.random.Generator, woods: tuple[Rgb, ...]) -> Picture:
    kind = rng.integers(4)
    if kind == 0:
        return stone(rng, (0.16, 0.16, 0.17), (0.42, 0.4, 0.38))
    if kind == 1:
        return stone(rng, (0.5, 0.47, 0.43), (0.72, 0.69, 0.64))
    if kind == 2:
        return marble(rng, (0.78, 0.77, 0.75), (0.45, 0.45, 0.47))
    return wood(rng, woods[rng.integers(len(woods))])


def _backsplash(rng: np.random.Generator) -> Picture:
    colours: tuple[Rgb, ...] = (
        (0.8, 0.8, 0.77),
        (0.5, 0.66, 0.64),
        (0.3, 0.42, 0.5),
        (0.7, 0.6, 0.48),
        (0.45, 0.5, 0.4),
    )
    rows, columns = ((8, 4), (6, 6), (4, 2))[rng.integers(3)]
    grout = 0.85 if rng.random() < 0.5 else 0.45
    colour = colours[rng.integers(len(colours))]
    return tiles(rng, colour, (grout, grout, grout), rows, columns)
