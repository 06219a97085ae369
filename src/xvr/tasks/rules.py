"""The acceptance rules: one frozen config, every threshold named with its unit.

`Rules()` holds the defaults; `load_rules` changes fields by name from a JSON file or `name=value`
words. The written dataset keeps the full config in its manifest.
"""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xvr.errors import UserError, unknown_name


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What makes a scene, an episode and a sample acceptable."""

    min_scene_points: int = 1_000_000
    """Fused points a scene with depth must have on the voxel grid."""
    scene_voxel_m: float = 0.001
    """Edge of a voxel of that grid."""
    min_views: int = 3
    """Views a scene must have."""
    min_cameras: int = 3
    """Cameras with a known role an episode must have."""
    min_episode_s: float = 20.0
    """Duration an episode must have."""
    min_effector_path_m: float = 0.5
    """Path length of the end effector over an episode, where known."""
    min_effector_extent_m: float = 0.1
    """Diagonal of the box of end-effector positions, where known."""

    min_consistent_share: float = 0.35
    """Of the pixels of two views that can be compared and are not hidden, the share whose depths
    agree (or of the sightings of tracks, the share that reprojects); 0 switches the check off."""
    consistent_depth_share: float = 0.02
    """Depths of two views agree within this share of the depth, in that check."""
    consistent_px_share: float = 0.01
    """A track's point is where it was seen within this share of the image diagonal, there."""
    max_repair_gain: float = 0.1
    """A known mistake of calibration, undone, makes no larger share of compared pixels agree."""

    margin_share: float = 0.04
    """How far inside the image a mark lies, of the shorter side."""
    depth_tolerance_m: float = 0.010
    """Largest depth error of a visible point, or `depth_tolerance_share` of depth if larger."""
    depth_tolerance_share: float = 0.01
    """Share of the depth that may differ."""
    max_grazing_deg: float = 75.0
    """Largest angle between a ray and the surface normal."""
    min_view_angle_deg: float = 15.0
    """Smallest angle between two chosen views, seen from the marked point."""
    max_view_angle_deg: float = 120.0
    """Largest angle between two chosen views, seen from the marked point."""

    min_option_px_share: float = 0.08
    """Distance of two options (or of the odd mark from the true one), of the image diagonal."""
    min_option_scene_share: float = 0.05
    """Distance of two options in 3D, of the scene extent."""
    min_odd_px_share: float = 0.02
    """No point is seen within this of the odd dot and of the dots of all other images but one, of
    the image diagonal."""
    hard_depth_share: float = 0.10
    """A distractor is near in depth within this share of the answer's depth."""
    hard_color_distance: float = 12.0
    """A distractor is similar in colour within this CIE Lab distance of the answer's patch."""

    max_misfit_log_ratio: float = 0.5
    """The patches of all dots fit the references alike, within this |log| ratio of their colour
    misfits; larger lets cheaters that compare patches or places win more often."""

    arrow_scene_share: float = 0.20
    """Length of an arrow, of the scene extent."""
    min_arrow_px_share: float = 0.05
    """Shortest projected arrow, of the image diagonal."""
    min_arrow_gap_deg: float = 30.0
    """Smallest image angle between two arrows of the target."""
    min_plane_angle_deg: float = 15.0
    """At least two references' planes through the arrow meet at this angle."""

    min_candidate_angle_deg: float = 15.0
    """Smallest angle between two candidate cameras, seen from the scene centre."""
    min_principal_px_share: float = 0.02
    """Distance of a camera's dot from the reference's principal point, of the diagonal."""

    min_time_gap_s: float = 2.0
    """Smallest |t' - t| of temporal verification."""
    max_ssim: float = 0.90
    """Two frames of a camera differ when their structural similarity is at most this."""
    ssim_width_px: int = 160
    """Width of the grey images that are compared."""
    min_effector_move_m: float = 0.05
    """How far the end effector moved between t and t', where known."""

    min_side_m: float = 0.05
    """How far to the side, in the centre camera's frame, a side camera stands."""
    min_side_dominance: float = 1.2
    """|x| of a side camera over its larger other coordinate, in the centre camera's frame."""
    max_same_pose_m: float = 0.10
    """Fixed cameras of two episodes are the same within this distance ..."""
    max_same_pose_deg: float = 10.0
    """... and this angle."""
    max_scenario_ssim: float = 0.98
    """Two scenarios show different content: similarity of the asked camera's frames."""

    min_turn_gap_deg: float = 30.0
    """Smallest difference of the two angles that a relative-pose question offers ..."""
    min_turn_ratio: float = 1.6
    """... and smallest ratio of the larger one to the smaller one."""
    max_turn_doubt_share: float = 0.35
    """How far a turn is from its angle on offer when it is seen from the middle of what both views
    see, of the difference of the two angles."""
    min_turn_dominance: float = 1.2
    """Sideways offset of each camera over its height offset, in the frame of the other one."""
    max_turn_likeness_sd: float = 0.4
    """How much the views at these angles may differ in their likeness to the first view, in
    standard deviations; larger lets a cheater that compares whole images win more often."""
    min_overlap_gap_share: float = 0.15
    """By how much more of the reference's points the right candidate sees than any other."""
    max_overlap_likeness_sd: float = 0.3
    """By how much one candidate's lead over the other in likeness may differ between two references
    of an overlap, likewise."""
    min_distance_ratio: float = 1.25
    """Distance of the second nearest marked point over that of the nearest one."""
    min_moment_move_m: float = 0.15
    """How far the end effector moved between two moments to order or to sync, where known."""
    max_moment_ssim: float = 0.85
    """Frames of a camera at two such moments are no more alike than this."""

    attempts_per_sample: int = 400
    """Tries to fill one place in the dataset before another scene or episode gets it."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not value >= 0:
                raise UserError(f"rule {field.name} is {value}; it must be zero or more")
        if self.min_view_angle_deg > self.max_view_angle_deg:
            raise UserError(
                f"rule min_view_angle_deg ({self.min_view_angle_deg}) exceeds "
                f"max_view_angle_deg ({self.max_view_angle_deg})"
            )


def load_rules(file: Path | None = None, changes: Sequence[str] = ()) -> Rules:
    """The default rules with changes from a JSON object in a file, then from `name=value` words.

    Raises:
        UserError: an unknown name, with the closest known one, or a value of the wrong type.
    """
    values: dict[str, object] = {}
    if file is not None:
        try:
            values = json.loads(file.read_text())
        except (OSError, ValueError) as error:
            raise UserError(f"cannot read rules from {file}: {error}") from error
        if not isinstance(values, dict):
            raise UserError(f"{file} must hold a JSON object of rule names and values")
    for word in changes:
        name, equals, text = word.partition("=")
        if not equals:
            raise UserError(f"--set {word!r}: write name=value, such as max_ssim=0.85")
        values[name.strip()] = text.strip()
    kinds = {field.name: field.type for field in dataclasses.fields(Rules)}
    checked = {}
    for name, value in values.items():
        if name not in kinds:
            raise unknown_name("rule", name, kinds)
        kind = kinds[name]
        try:
            number = float(value)  # pyright: ignore[reportArgumentType]
            checked[name] = int(number) if kind is int else number
        except (TypeError, ValueError, OverflowError) as error:
            raise UserError(f"rule {name}: {value!r} is not a number") from error
        if kind is int and number != checked[name]:
            raise UserError(f"rule {name}: {value!r} is not a whole number")
    return Rules(**checked)
